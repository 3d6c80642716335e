using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>What one request may cost, by heads alone: no documents stand behind them.</summary>
public sealed class BoundsTests
{
    private const long NowMs = 1_800_000_000_000;
    private static readonly UserId User = new("u1");

    [Theory]
    [InlineData(Limits.TombstonesMax - 1, ItemStatus.Deleted)]
    [InlineData(Limits.TombstonesMax, ItemStatus.Refused)]
    public void A_deletion_of_an_unknown_id_is_refused_when_there_are_too_many(int tombstones, ItemStatus status)
    {
        var ledger = LedgerOf(
            Enumerable.Range(0, tombstones).Select(i => Head($"g{i}", i + 1, deleted: true)).Append(Head("live", tombstones + 1)));

        Assert.Equal(status, Decide(ledger, ModelServer.Delete("goal", "unknown", NowMs)).Items.Single().Status);
        Assert.Equal(ItemStatus.Deleted, Decide(ledger, ModelServer.Delete("goal", "live", NowMs)).Items.Single().Status);
    }

    [Fact]
    public void The_bytes_of_documents_that_ties_announce_again_are_counted_before_they_are_read()
    {
        const int heads = 400;
        var ledger = LedgerOf(Enumerable.Range(0, heads).Select(i => Head($"g{i}", i + 1, bytes: Limits.EntityBytesMax)));

        var decision = Decide(ledger, [.. Enumerable.Range(0, heads).Select(i => ModelServer.Edit("goal", $"g{i}", "tied", 1))]);

        Assert.All(decision.Items, item => Assert.Equal(ItemStatus.Conflict, item.Status));
        Assert.Equal((long)heads * Limits.EntityBytesMax, decision.TiedBytes);
    }

    private static Decision Decide(IHeads heads, params Item[] items) =>
        Deciding.Decide(
            heads, new DecisionTerms(User, NowMs, new DeviceId("d2"), BaseCounts: true, new Quotas()),
            items.Select(item => item.Read(User)));

    private static KeyValuePair<EntityKey, EntityHead> Head(string id, long seq, bool deleted = false, int bytes = 0) => new(
        new EntityKey("goal", id),
        new EntityHead
        {
            Seq = new Revision(seq),
            Version = seq,
            EffectiveMs = 1,
            ClientMs = 1,
            PublishedMs = 1,
            Device = new DeviceId("d1"),
            DeletedMs = deleted ? 1 : null,
            Bytes = bytes,
            Fingerprint = deleted ? Fingerprint.None : new Fingerprint(UInt128.MaxValue),
        });

    private static Ledger LedgerOf(IEnumerable<KeyValuePair<EntityKey, EntityHead>> heads)
    {
        var table = new HeadTable();
        foreach (var (entity, head) in heads) table.Put(entity, head);
        var history = new HistoryState(
            new Epoch(Guid.NewGuid()), new Revision(1), new Revision(table.Count), Revision.Origin, table.Tally.Digest, 0, 0, 0, false);
        return new Ledger(new UserSnapshot(history, table));
    }
}
