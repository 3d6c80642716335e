using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>How often one user may call, and one address may be refused.</summary>
internal static class RateLimits
{
    public static void Configure(IServiceCollection services, LimitOptions limits)
    {
        services.AddSingleton(_ => new RefusedTokens(limits.RefusedTokensPerMinute));
        services.AddSingleton<AdminGuesses>();
        services.AddSingleton(_ => new UserRates(limits));
    }

    /// <summary>
    /// Refuses calls of a user who calls too often. The framework's own middleware would do, but it takes a limiter for each process that
    /// nothing disposes, and a lease for each call.
    /// </summary>
    public static Task Apply(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<RateLimitMetadata>() is not { Applies: true }) return next(http);
        var rates = http.RequestServices.GetRequiredService<UserRates>();
        return rates.TryTake(http.User.FindFirst("sub")?.Value ?? "", out var retrySeconds)
            ? next(http)
            : ProblemAnswers.Write(http, Problem.RateLimited, retrySeconds: retrySeconds);
    }
}

/// <summary>Whether a call counts against its user's rate. Of several on one endpoint the last decides.</summary>
internal sealed record RateLimitMetadata(bool Applies);

/// <summary>
/// Counts refused tokens by address. Only the refusals are limited, never a valid token: many users may share an address.
/// </summary>
internal sealed class RefusedTokens(int perMinute) : PerAddress(perMinute);

/// <summary>
/// Counts wrong passwords for the operators' pages by address, apart from tokens: a user's bad token keeps no operator out.
/// </summary>
internal sealed class AdminGuesses() : PerAddress(Limits.AdminGuessesPerMinute);

/// <summary>Counts something by the address it comes from, so much a minute.</summary>
internal abstract class PerAddress(int perMinute) : IDisposable
{
    private readonly PartitionedRateLimiter<string> limiter = PartitionedRateLimiter.Create<string, string>(address =>
        RateLimitPartition.GetTokenBucketLimiter(address, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = perMinute,
            TokensPerPeriod = perMinute % 6 == 0 ? perMinute / 6 : perMinute,
            ReplenishmentPeriod = TimeSpan.FromSeconds(perMinute % 6 == 0 ? 10 : 60),
            QueueLimit = 0,
            AutoReplenishment = true,
        }));

    public bool Count(IPAddress? address)
    {
        using var lease = limiter.AttemptAcquire(Network(address));
        return lease.IsAcquired;
    }

    /// <summary>One more would be refused.</summary>
    public bool IsUsedUp(IPAddress? address) => limiter.GetStatistics(Network(address)) is { CurrentAvailablePermits: 0 };

    public void Dispose() => limiter.Dispose();

    /// <summary>An IPv6 customer has a whole /64 to choose addresses from; it counts as one.</summary>
    private static string Network(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexString(address.GetAddressBytes(), 0, 8),
        _ => address.ToString(),
    };
}
