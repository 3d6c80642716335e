using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public ValueTask<bool> TryLease(string holder, long nowMs, long untilMs, CancellationToken cancel)
    {
        const string sql = """
            INSERT INTO maintenance_lease (name, holder, until_ms) VALUES ('sweep', ?1, ?3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
            WHERE maintenance_lease.holder = excluded.holder OR maintenance_lease.until_ms <= ?2
            """;
        return writer.Write(session => session.Execute(sql, holder, nowMs, untilMs) > 0, cancel);
    }

    public async ValueTask ReleaseLease(string holder, CancellationToken cancel) =>
        await writer.Write(
            session => session.Execute("DELETE FROM maintenance_lease WHERE name = 'sweep' AND holder = ?1", holder), cancel);

    public async ValueTask<byte[]> TicketKey(CancellationToken cancel)
    {
        const string sql = "SELECT value FROM server_keys WHERE name = 'tickets'";
        var found = await readers.Read(session => session.List(sql, row => row.GetFieldValue<byte[]>(0)), cancel);
        Invariant.Holds(found.Count == 1, "the first migration made the key of tickets");
        return found[0];
    }

    private static void RequireLease(SqliteSession session, SweepLease lease)
    {
        const string sql = "SELECT 1 FROM maintenance_lease WHERE name = 'sweep' AND holder = ?1 AND until_ms > ?2";
        if (!session.First(sql, _ => true, lease.Holder, lease.NowMs)) throw new LeaseLostException(lease.Holder);
    }
}
