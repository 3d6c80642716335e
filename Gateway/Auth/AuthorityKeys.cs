using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Mirubato.Gateway.Auth;

/// <summary>What an authority says of itself.</summary>
/// <param name="AskedAt">A timestamp from before the authority was asked. Keys that it published later may be missing.</param>
internal sealed record AuthorityConfiguration(OpenIdConnectConfiguration Says, long AskedAt);

/// <summary>
/// Reads the keys of an OpenID Connect authority. The framework's configuration manager was not used: while an authority hung, each request
/// made an attempt of its own and waited for it, and one token under an unknown key kept rotated keys from being read for minutes.
/// Requests share one attempt, which ends after <see cref="Limits.AuthorityAttemptMs"/>; the next one begins
/// <see cref="Limits.AuthorityRetryMs"/> after its end at the earliest. Keys older than <see cref="Limits.AuthorityKeysMs"/> are read again
/// in the background, and count until newer ones are there.
/// </summary>
internal sealed class AuthorityKeys : IDisposable
{
    private readonly Lock gate = new();
    private readonly string address;
    private readonly HttpClient http = new()
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = Limits.AuthorityBytesMax,
    };
    private readonly HttpDocumentRetriever documents;
    private readonly TimeProvider time;
    private readonly ILogger log;

    private Task<AuthorityConfiguration?> attempt = Task.FromResult<AuthorityConfiguration?>(null);
    private long? attemptEnded;
    private AuthorityConfiguration? known;

    public AuthorityKeys(string authority, TimeProvider time, ILogger<AuthorityKeys> log)
    {
        address = authority.TrimEnd('/') + "/.well-known/openid-configuration";
        documents = new HttpDocumentRetriever(http) { RequireHttps = !new Uri(authority).IsLoopback };
        (this.time, this.log) = (time, log);
    }

    public long Now => time.GetTimestamp();

    /// <summary>Null when the authority does not answer.</summary>
    public Task<AuthorityConfiguration?> Get()
    {
        lock (gate)
        {
            if (known is null) return Join();
            if (time.GetElapsedTime(known.AskedAt).TotalMilliseconds >= Limits.AuthorityKeysMs) Join().Ignore();
            return Task.FromResult<AuthorityConfiguration?>(known);
        }
    }

    /// <summary>
    /// For a token whose key is not among those of <paramref name="old"/>. Null when the authority does not answer, or may not be asked
    /// yet.
    /// </summary>
    public Task<AuthorityConfiguration?> GetNewer(AuthorityConfiguration old)
    {
        lock (gate) return known is not null && known.AskedAt > old.AskedAt ? Task.FromResult<AuthorityConfiguration?>(known) : Join();
    }

    public void Dispose() => http.Dispose();

    /// <summary>The attempt under way, or another one if it is time.</summary>
    private Task<AuthorityConfiguration?> Join()
    {
        if (!attempt.IsCompleted) return attempt;
        if (attemptEnded is { } ended && time.GetElapsedTime(ended).TotalMilliseconds < Limits.AuthorityRetryMs)
        {
            return Task.FromResult<AuthorityConfiguration?>(null);
        }
        return attempt = Task.Run(Ask);
    }

    private async Task<AuthorityConfiguration?> Ask()
    {
        var askedAt = Now;
        AuthorityConfiguration? read = null;
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(Limits.AuthorityAttemptMs), time);
            var says = await OpenIdConnectConfigurationRetriever.GetAsync(address, documents, patience.Token).WaitAsync(patience.Token);
            if (says.SigningKeys.Count == 0 || string.IsNullOrEmpty(says.Issuer))
            {
                throw new InvalidDataException("It names no issuer or no keys.");
            }
            read = new AuthorityConfiguration(says, askedAt);
        }
        catch (Exception failure)
        {
            Log.AuthorityUnavailable(log, failure);
        }

        lock (gate)
        {
            known = read ?? known;
            attemptEnded = Now;
        }

        return read;
    }
}
