using System.Text;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>
/// The pure core with the least around it that makes a server: rows and a conflict feed in memory, and the checks of "always holds".
/// </summary>
internal sealed partial class ModelServer : IModelServer
{
    public static readonly UserId User = new("u1");
    private static readonly Epoch Epoch = new(Guid.Parse("11111111111111111111111111111111"));

    private readonly Dictionary<EntityKey, StoredRow> rows = [];
    private readonly Dictionary<string, Loser> feed = [];
    private readonly HashSet<(EntityKey, Fingerprint)> superseded = [];
    private readonly HashSet<(EntityKey, Fingerprint)> acknowledged = [];

    public Ledger Ledger { get; } = new(new UserSnapshot(
        new HistoryState(Epoch, new Revision(1), Revision.Origin, Revision.Origin, UInt128.Zero, 0, 0, 0, false), []));

    /// <summary>What happened, for the message of a failed run.</summary>
    public List<string> Trace { get; } = [];

    public IReadOnlyList<ItemResult> Push(string? device, long nowMs, IReadOnlyList<Item> items, bool merges = false)
    {
        var deviceId = device is null ? (DeviceId?)null : new DeviceId(device);
        var incoming = items.Select(item => item.Read(User)).ToList();
        var heads = incoming.Select(i => Ledger.Find(i.Entity)).ToList();
        var known = merges ? Histories(incoming) : null;
        var decision = Deciding.Decide(
            Ledger, new DecisionTerms(User, nowMs, deviceId, BaseCounts: true, new Quotas(), Merges: known), incoming);
        var stored = decision.Needed().Keys.ToDictionary(k => k, k => rows[k]);
        var written = decision.Rows(stored);
        var results = decision.Results(stored);

        AssertRevisions(written, incoming.Where(i => i.BaseVersion is not null).Select(i => i.Entity).ToHashSet());
        Account(deviceId, incoming, heads, written, decision.Items);
        if (merges) AssertMembers(deviceId, incoming, results, decision);
        foreach (var replaced in decision.Replaced) KeepReplaced(replaced);
        foreach (var loser in decision.Losers) feed[loser.Id] = loser;
        foreach (var row in written) Store(row);
        var draft = new Draft(Ledger);
        draft.Take(decision.Draft);
        Ledger.Adopt(draft);
        for (var i = 0; i < results.Count; i++)
            Trace.Add($"{nowMs} {device} {items[i]} {results[i].Status} -> {Ledger.Find(results[i].Entity)}");
        return results;
    }

    public IReadOnlyList<StoredRow> Pull(long after, int limit) =>
        [.. rows.Values.Where(r => r.Seq > after).OrderBy(r => r.Seq).Take(limit)];

    /// <summary>Why documents are in the feed.</summary>
    public IEnumerable<string> Reasons => feed.Values.Select(l => l.Reason);

    public StoredRow Row(EntityKey entity) => rows[entity];

    public EntityHead? Head(EntityKey entity) => Ledger.Find(entity);

    public IReadOnlyCollection<StoredRow> Everything() => rows.Values;

    /// <summary>
    /// Every acknowledged document is stored, or was replaced by its own device or by one that had seen it, or is in the feed.
    /// </summary>
    public void AssertNothingIsLost()
    {
        foreach (var (entity, fingerprint) in acknowledged)
        {
            var isStored = Ledger.Find(entity)?.Fingerprint == fingerprint;
            var isKept = feed.Values.Any(l => l.Entity == entity && l.Fingerprint == fingerprint);
            Assert.True(isStored || isKept || superseded.Contains((entity, fingerprint)), $"{entity} {fingerprint} is lost");
        }
    }

    public void AssertDigest()
    {
        var sum = UInt128.Zero;
        foreach (var row in rows.Values.Where(r => r.DeletedAtMs is null)) sum = unchecked(sum + Digest.From(row.Entity, row.Version));
        Assert.Equal(sum, Ledger.HistoryState.Digest);
    }

    private void AssertRevisions(IReadOnlyList<NewRow> written, HashSet<EntityKey> onBase)
    {
        Assert.Equal(Enumerable.Range(1, written.Count).Select(i => Ledger.Last.Number + i), written.Select(r => r.Head.Seq.Number));
        foreach (var row in written)
        {
            if (!rows.TryGetValue(row.Entity, out var before)) continue;
            Assert.True(row.Head.Version > before.Version, "versions only grow");
            Assert.True(row.Head.PublishedMs > before.UpdatedAtMs, "updatedAt only grows");
            Assert.True(
                before.DeletedAtMs is null
                    || row.Head.IsDeleted
                    || onBase.Contains(row.Entity)
                    || EntityTypes.Find(row.Entity.Type)!.HasNaturalKey,
                "what was deleted stays deleted");
        }
    }

    private void Account(
        DeviceId? device, List<ParsedItem> incoming, List<EntityHead?> heads, IReadOnlyList<NewRow> written,
        IReadOnlyList<ItemDecision> decided)
    {
        var writtenNow = written.ToDictionary(r => r.Entity);
        for (var i = 0; i < incoming.Count; i++)
        {
            var item = incoming[i];
            // What is merged is accounted for member by member.
            if (decided[i].Status is ItemStatus.Merged || decided[i].Members is not null)
            {
                if (heads[i] is { } merged) superseded.Add((item.Entity, merged.Fingerprint));
                continue;
            }
            if (!item.IsDelete) acknowledged.Add((item.Entity, item.Fingerprint));
            if (!writtenNow.TryGetValue(item.Entity, out var row)) continue;
            var sameDevice = device is not null && heads[i]?.Device == device;
            var onBase = item.BaseVersion is not null && item.BaseVersion == heads[i]?.Version;
            if (heads[i] is { } before && row.Head.Fingerprint != before.Fingerprint && (sameDevice || onBase))
            {
                superseded.Add((item.Entity, before.Fingerprint));
            }
            // Of several items of one device on one entity only the last one that wins is stored.
            if (device is not null && row.Head.Fingerprint != item.Fingerprint && row.Head.Device == device)
            {
                superseded.Add((item.Entity, item.Fingerprint));
            }
        }
    }

    private void KeepReplaced(ReplacedDocument replaced)
    {
        Assert.Equal(replaced.Fingerprint, Ledger.Find(replaced.Entity)!.Fingerprint);
        feed[replaced.Id] = new Loser(
            replaced.Id, replaced.Entity, replaced.Fingerprint, ConflictId.Replaced, replaced.WinnerVersion, null,
            rows[replaced.Entity].Data, replaced.Members);
    }

    private void Store(NewRow row)
    {
        rows[row.Entity] =
            new StoredRow(row.Entity, row.Head.Seq.Number, row.Head.Version, row.Head.PublishedMs, row.Head.DeletedMs, row.Data);
        KeepVersion(row);
    }

    public static Item Edit(string type, string id, string value, long? updatedAtMs, long? baseVersion = null, string rest = "")
    {
        var clock = updatedAtMs is null ? "" : $",\"updatedAt\":{updatedAtMs}";
        return new Item(
            type, id, Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\",\"title\":\"{value}\"{rest}{clock}}}"), BaseVersion: baseVersion);
    }

    public static Item Delete(string type, string id, long? deletedAtMs, long? baseVersion = null) =>
        new(type, id, Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\",\"deletedAt\":{deletedAtMs}}}"), BaseVersion: baseVersion);
}
