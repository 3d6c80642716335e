using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Mirubato.Gateway.Auth;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>What a browser may put into an address instead of its token: short-lived, good once, and for its own page only.</summary>
internal sealed class Tickets(IConnections connections, TimeProvider time)
{
    private const int Bytes = 32;

    public async ValueTask<(string Ticket, long ExpiresMs)> Issue(TokenFacts token, string? origin, CancellationToken cancel)
    {
        var ticket = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        var expiresMs = Math.Min(time.GetUtcNow().ToUnixTimeMilliseconds() + SocketLimits.TicketMs, token.ExpiresMs);
        await connections.Issue(Hash(ticket), new Ticket(token.User, origin, token.IssuedAtMs, token.ExpiresMs), expiresMs, cancel);
        return (ticket, expiresMs);
    }

    /// <summary>Null when it does not count. It is used up all the same, so that a stolen one can be tried once at most.</summary>
    public async ValueTask<TokenFacts?> Redeem(string ticket, string? origin, CancellationToken cancel)
    {
        if (ticket.Length > 2 * Bytes) return null;
        return await connections.Redeem(Hash(ticket), cancel) is { } found && string.Equals(found.Origin, origin, StringComparison.OrdinalIgnoreCase)
            ? new TokenFacts(found.User, found.TokenIssuedAtMs, found.TokenExpiresMs)
            : null;
    }

    private static byte[] Hash(string ticket) => SHA256.HashData(Encoding.UTF8.GetBytes(ticket));
}
