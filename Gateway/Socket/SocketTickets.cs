using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Mirubato.Gateway.Auth;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// What a browser may put into an address instead of its token: short-lived, good once, and for its own page only. A ticket is
/// base64url(user, time of issue, 32 random bytes, HMAC), so that any process sees whether this installation issued it before it names a
/// grain.
/// </summary>
internal sealed class SocketTickets(
    UserGrains grains, IUserReader reader, [FromKeyedServices(ServerClock.Key)] TimeProvider time) : IHostedService
{
    private const int RandomBytes = 32;
    private const int SignedBytesMin = sizeof(long) + RandomBytes;
    private const int BytesMax = (3 * UsableId.UnitsMax) + SignedBytesMin + HMACSHA256.HashSizeInBytes;

    private byte[]? key;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Reads the key ahead, so that an upgrade never waits for the store.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Key(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // The first ticket reads it.
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask<(string Ticket, long ExpiresMs)> Issue(TokenFacts token, string? origin, CancellationToken cancel)
    {
        var bytes = Sign(token.User, NowMs, await Key(cancel));
        var expiresMs = Math.Min(NowMs + Limits.TicketMs, token.ExpiresMs);
        var grant = new TicketGrant(SHA256.HashData(bytes), origin, token.IssuedAtMs, token.ExpiresMs, expiresMs);
        await UserCoordinator.Reach(() => Grain(token.User).IssueTicket(grant), cancel);
        return (Base64Url.EncodeToString(bytes), expiresMs);
    }

    /// <summary>
    /// Null when it does not count. It is used up all the same, so that a stolen one can be tried once at most. Length and age are checked
    /// before the key is read, and the signature before any grain is named.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The user's coordinator cannot be reached.</exception>
    public async ValueTask<TokenFacts?> Redeem(string ticket, string? origin, CancellationToken cancel)
    {
        if (ticket.Length > Base64Url.GetEncodedLength(BytesMax) || !Base64Url.IsValid(ticket)) return null;
        var bytes = Base64Url.DecodeFromChars(ticket);
        if (!IsYoung(bytes) || ParseUser(bytes, await Key(cancel)) is not { } user) return null;
        var found = await UserCoordinator.Reach(() => Grain(user).RedeemTicket(new TicketRedemption(SHA256.HashData(bytes))), cancel);
        return found is not null && string.Equals(found.Origin, origin, StringComparison.OrdinalIgnoreCase)
            ? new TokenFacts(user, found.TokenIssuedAtMs, found.TokenExpiresMs)
            : null;
    }

    private async ValueTask<byte[]> Key(CancellationToken cancel) => key ??= await reader.TicketKey(cancel);

    private IUserConnectionsGrain Grain(UserId user) => grains.For<IUserConnectionsGrain>(user);

    private static byte[] Sign(UserId user, long issuedMs, byte[] key)
    {
        var name = Encoding.UTF8.GetBytes(user.Value);
        var bytes = new byte[name.Length + SignedBytesMin + HMACSHA256.HashSizeInBytes];
        name.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(name.Length), issuedMs);
        RandomNumberGenerator.Fill(bytes.AsSpan(name.Length + sizeof(long), RandomBytes));
        var signed = bytes.AsSpan(0, name.Length + SignedBytesMin);
        HMACSHA256.HashData(key, signed, bytes.AsSpan(signed.Length));
        return bytes;
    }

    private bool IsYoung(byte[] bytes)
    {
        var name = bytes.Length - SignedBytesMin - HMACSHA256.HashSizeInBytes;
        return name > 0 && NowMs - BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(name)) is >= -Limits.TicketMs and <= Limits.TicketMs;
    }

    /// <summary>Whose ticket it is; null when it was not issued here.</summary>
    private static UserId? ParseUser(byte[] bytes, byte[] key)
    {
        var signed = bytes.Length - HMACSHA256.HashSizeInBytes;
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, bytes.AsSpan(0, signed), expected);
        return CryptographicOperations.FixedTimeEquals(expected, bytes.AsSpan(signed))
            ? new UserId(Encoding.UTF8.GetString(bytes, 0, signed - SignedBytesMin))
            : null;
    }
}
