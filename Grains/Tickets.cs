using System.Security.Cryptography;

namespace Mirubato.Grains;

/// <summary>
/// The outstanding one-time tickets of one user. One that its activation lost is refused, and the client fetches another.
/// </summary>
internal sealed class Tickets(TimeProvider time)
{
    private List<TicketGrant>? outstanding;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Issue(TicketGrant ticket)
    {
        outstanding ??= [];
        outstanding.RemoveAll(one => one.ExpiresMs < NowMs);
        if (outstanding.Count == Limits.TicketsMax) outstanding.RemoveAt(0);
        outstanding.Add(ticket);
    }

    /// <summary>Takes the ticket out, expired or not, so that one can be tried once. Null when it does not count.</summary>
    public TicketGrant? Redeem(ReadOnlySpan<byte> hash)
    {
        for (var i = 0; i < (outstanding?.Count ?? 0); i++)
        {
            var ticket = outstanding![i];
            if (!CryptographicOperations.FixedTimeEquals(ticket.Hash.Span, hash)) continue;
            outstanding.RemoveAt(i);
            return NowMs <= ticket.ExpiresMs ? ticket : null;
        }

        return null;
    }

    public void Clear() => outstanding = null;
}
