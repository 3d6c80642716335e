using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed partial class PostgresStore
{
    // Waits for a batch under way, which holds a lock on the row.
    public async ValueTask<bool> TryLease(string holder, long nowMs, long untilMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO maintenance_lease (name, holder, until_ms) VALUES ('sweep', $1, $3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
            WHERE maintenance_lease.holder = excluded.holder OR maintenance_lease.until_ms <= $2
            """;
        return await Execute(sql, p => { p.Text(holder); p.Bigint(nowMs); p.Bigint(untilMs); }, cancel) > 0;
    }

    public async ValueTask ReleaseLease(string holder, CancellationToken cancel) =>
        await Execute("DELETE FROM maintenance_lease WHERE name = 'sweep' AND holder = $1", p => p.Text(holder), cancel);

    public async ValueTask<byte[]> TicketKey(CancellationToken cancel)
    {
        const string sql = "SELECT value FROM server_keys WHERE name = 'tickets'";
        var found = await List(sql, _ => { }, row => row.GetFieldValue<byte[]>(0), cancel);
        Invariant.Holds(found.Count == 1, "the first migration made the key of tickets");
        return found[0];
    }
}
