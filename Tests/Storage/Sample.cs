using System.Text;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Storage;

/// <summary>Commits as a coordinator would make them, in one line each.</summary>
internal static class Sample
{
    public const long Now = 1_750_000_000_000;
    public const long DayMs = 24L * 60 * 60 * 1000;
    public static readonly byte[] Hash = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private static int users;

    public static UserId User() => new($"user-{Interlocked.Increment(ref users)}");

    public static EntityKey Entry(string id) => new("logbook_entry", id);

    public static Fingerprint Fingerprint(string json) => new((UInt128)(uint)json.GetHashCode(StringComparison.Ordinal) + 1);

    public static NewRow Row(EntityKey entity, long seq, string json = "{}", string? device = "d1")
    {
        var data = Encoding.UTF8.GetBytes(json);
        return new NewRow(entity, new EntityHead
        {
            Seq = new Revision(seq),
            Version = seq,
            EffectiveMs = Now,
            ClientMs = Now,
            PublishedMs = Now,
            Device = device is null ? null : new DeviceId(device),
            Fingerprint = Fingerprint(json),
            Bytes = data.Length,
        }, data);
    }

    public static NewRow Tombstone(EntityKey entity, long seq, long deletedMs = Now) => new(entity, new EntityHead
    {
        Seq = new Revision(seq),
        Version = seq,
        EffectiveMs = deletedMs,
        ClientMs = deletedMs,
        PublishedMs = deletedMs,
        DeletedMs = deletedMs,
        PreviousFingerprint = new Fingerprint(7),
        PreviousPublishedMs = deletedMs - 1,
        Echoes = [new Echo(deletedMs + 5, deletedMs, new DeviceId("d1"))],
    }, default);

    public static Receipt Receipt(string key, long expiresMs = Now + DayMs, string response = "{\"success\":true}") =>
        new(WriteScope.Push, key, Hash, Hash, 200, Encoding.UTF8.GetBytes(response), expiresMs);

    public static Loser Loser(string id, string json, string reason = ConflictId.Stale) =>
        new(
            ConflictId.From(Entry(id), Fingerprint(json), reason), Entry(id), Fingerprint(json), reason, 3, new DeviceId("d2"),
            Encoding.UTF8.GetBytes(json));

    public static ReplacedDocument Replaced(EntityKey entity, string json) =>
        new(ConflictId.From(entity, Fingerprint(json), ConflictId.Replaced), entity, Fingerprint(json), 9);

    /// <summary>A commit on that history state; its last row is the new head.</summary>
    public static Commit Commit(HistoryState at, params NewRow[] rows) => new(
        at.Token, rows.Length == 0 ? at.Last : rows[^1].Head.Seq, Digest: 42, Now, OldestTokenMs: Now, [], rows, [], [], []);

    /// <summary>A commit of <paramref name="count"/> new entries after that history state.</summary>
    public static Commit Entries(HistoryState at, int count, string prefix = "e", string json = "{}") =>
        Commit(at, [.. Enumerable.Range(1, count).Select(i => Row(Entry($"{prefix}{i:d6}"), at.Last.Number + i, json))]);

    public static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
