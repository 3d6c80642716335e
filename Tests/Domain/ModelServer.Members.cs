using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>Versions of the model, and what must hold of each member whatever is merged.</summary>
internal sealed partial class ModelServer
{
    private readonly Dictionary<EntityKey, List<MergeVersion>> versions = [];
    private readonly HashSet<(EntityKey, string, string)> everStored = [];
    private readonly HashSet<(EntityKey, string, string)> acknowledgedMembers = [];
    private readonly HashSet<(EntityKey, string, string)> replacedByOwnDevice = [];

    /// <summary>An edit of a member is gone because its own device wrote over it before it was sent.</summary>
    public void ReplacedByOwnDevice(EntityKey entity, string pointer, string value) => replacedByOwnDevice.Add((entity, pointer, value));

    /// <summary>Forgets versions, as thinning does: an edit of an older base is then decided by rule 5.</summary>
    public void Thin(EntityKey entity, Random random)
    {
        if (versions.TryGetValue(entity, out var known) && known.Count > 1) known.RemoveAt(random.Next(known.Count - 1));
    }

    public void Forget(EntityKey entity, long version) => versions[entity].RemoveAll(known => known.Version == version);

    /// <summary>
    /// Every member that was acknowledged as edited is stored, was stored once and so is in the history, is in the feed, or was replaced by
    /// its own device.
    /// </summary>
    public void AssertNoMemberIsLost()
    {
        var kept = feed.Values.SelectMany(loser => Named(loser.Entity, loser.Document)).Concat(everStored).ToHashSet();
        foreach (var member in acknowledgedMembers.Where(member => !kept.Contains(member) && !replacedByOwnDevice.Contains(member)))
            Assert.Fail($"the edit of {member} is lost");
    }

    private static IEnumerable<(EntityKey, string, string)> Named(EntityKey entity, ReadOnlyMemory<byte> document) =>
        ModelDocument.Leaves(document).Where(leaf => leaf.Key != ModelDocument.Settings).Select(leaf => (entity, leaf.Key, leaf.Value));

    private Dictionary<EntityKey, MergeHistory> Histories(IEnumerable<ParsedItem> items) => items
        .Where(item => Ledger.Find(item.Entity) is { } head && item.BaseVersion < head.Version)
        .Select(item => item.Entity)
        .Distinct()
        .ToDictionary(entity => entity, entity => new MergeHistory(versions[entity]));

    private void KeepVersion(NewRow row)
    {
        if (!versions.TryGetValue(row.Entity, out var known)) versions[row.Entity] = known = [];
        known.Add(new MergeVersion(row.Head.Version, row.Data, row.Head.EffectiveMs, row.Head.ChangeTime));
        everStored.UnionWith(Named(row.Entity, row.Data));
    }

    /// <summary>
    /// What a merge may do to a member, as the four documents alone say. Called before the outcome is stored; of requests of one item.
    /// </summary>
    private void AssertMembers(DeviceId? device, List<ParsedItem> incoming, IReadOnlyList<ItemResult> results, Decision decision)
    {
        for (var i = 0; i < incoming.Count; i++)
        {
            if (results[i].Status is not ItemStatus.Refused && !incoming[i].IsDelete)
                acknowledgedMembers.UnionWith(Named(incoming[i].Entity, incoming[i].Document.Render(0, 0)));
        }

        if (incoming is not [var item] || results[0] is not { Status: ItemStatus.Merged } result) return;
        var known = versions[item.Entity];
        var from = known.FindIndex(version => version.Version == item.BaseVersion);
        var (basis, before, sent, after) = (
            ModelDocument.Leaves(known[from].Data), ModelDocument.Leaves(known[^1].Data),
            ModelDocument.Leaves(item.Document.Render(0, 0)), ModelDocument.Leaves(result.Document));
        foreach (var pointer in ModelDocument.Units(known[from].Data, known[^1].Data, item.Document.Render(0, 0)))
        {
            var (b, c, s, a) = (ValueIn(basis), ValueIn(before), ValueIn(sent), ValueIn(after));
            var between = known[(from + 1)..^1].Select(version => ValueIn(ModelDocument.Leaves(version.Data)));
            if (s == b || s == c || between.Contains(s)) Assert.True(a == c, $"{pointer}, which the sender had not changed, became {a}");
            else if (c == b) Assert.True(a == s, $"{pointer}, which only the sender had changed to {s}, became {a}");
            else AssertContest(pointer, c, s, a);

            string? ValueIn(Dictionary<string, string> leaves) => ModelDocument.Value(leaves, pointer);
        }

        void AssertContest(string pointer, string? stored, string? sent, string? after)
        {
            Assert.True(after == stored || after == sent, $"{pointer} became {after}, neither {stored} nor {sent}");
            var isLost = result.Members?.Contains(pointer) ?? false;
            Assert.True(isLost == (after == stored), $"{pointer} became {after}; members say lost: {isLost}");
            if (isLost) Assert.Contains(decision.Losers, loser => loser.Entity == item.Entity && loser.Members!.Contains(pointer));
            if (!isLost && LastWriter(pointer) != device)
                Assert.Contains(decision.Replaced, r => r.Entity == item.Entity && r.Members!.Contains(pointer));
        }

        DeviceId? LastWriter(string pointer)
        {
            var all = versions[item.Entity];
            string? ValueAt(int at) => ModelDocument.Value(ModelDocument.Leaves(all[at].Data), pointer);
            var last = all.Count - 1;
            while (last > 0 && ValueAt(last) == ValueAt(last - 1)) last--;
            return all[last].ChangeTime.Device;
        }
    }
}
