using System.Reflection;
using System.Text;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Silo.Tests;

/// <summary>What crosses a process comes out as it went in, and keeps its shape from release to release.</summary>
public sealed class CarriedTests
{
    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"changes":[{"id":"a"},{"id":"b"}]}""");

    [Fact]
    public void A_write_comes_out_as_it_went_in_and_its_documents_do_not_travel_twice()
    {
        var body = Body.AsMemory();
        var own = Encoding.UTF8.GetBytes("""{"id":"elsewhere"}""");
        var write = new WriteRequest(
            new Caller(new UserId("u"), new DeviceId("d"), 7), WriteScope.Batch, "key", body,
            [
                new Change("goal", null, body.Slice(12, 10)), new Change("goal", "b", body.Slice(23, 10), Delete: true, BaseVersion: 3, Checksum: "c", LocalVersion: 4, EventMs: 5),
                new Change("goal", "x", own, Refused: ItemRefusal.Invalid), new Change("goal", "y", default),
            ],
            new SyncToken(new Epoch(Guid.NewGuid()), new Revision(9), new Revision(2)), Strict: true, ConnectionId: "c1")
        { OnlyOnBase = true };

        var carried = CarriedWrite.Of(write);
        var opened = carried.Open();

        Assert.Equal([0, 0, own.Length, 0], carried.Changes.Select(change => change.Document.Length));
        Assert.Equal(write with { Changes = opened.Changes }, opened);
        Assert.Equal(write.Changes.Select(change => change with { Document = default }), opened.Changes.Select(change => change with { Document = default }));
        Assert.Equal(write.Changes.Select(change => Convert.ToHexString(change.Document.Span)), opened.Changes.Select(change => Convert.ToHexString(change.Document.Span)));
    }

    [Fact]
    public void A_caller_without_a_device_stays_without_one() =>
        Assert.Equal(new Caller(new UserId("u"), null, 1), CarriedCaller.Of(new Caller(new UserId("u"), null, 1)).Open());

    [Fact]
    public void An_answer_comes_out_as_it_went_in()
    {
        var item = new ItemResult(new EntityKey("goal", "a"), ItemStatus.Conflict, 1, 2, 3, "other", ItemRefusal.Stale, Body, Body);
        var answer = new WriteAnswer(RequestRefusal.None, 200, Body, Replayed: true, [item]);

        var opened = CarriedAnswer.Of(answer).Open();

        Assert.Equal(answer with { Items = opened.Items }, opened);
        Assert.Equal(item, Assert.Single(opened.Items!));
        Assert.Null(CarriedAnswer.Of(WriteAnswer.Refuse(RequestRefusal.Busy)).Open().Items);
    }

    [Fact]
    public void A_status_comes_out_as_it_went_in()
    {
        var standing = new Standing(new Epoch(Guid.NewGuid()), new Revision(1), new Revision(2), new Revision(3), UInt128.MaxValue - 5, 4, 5, 6, true);
        var status = new StatusReport(standing, 7, 8, new Dictionary<string, int> { ["goal"] = 9 });

        var opened = CarriedStatus.Of(status).Open();

        Assert.Equal(status with { LiveEntities = opened.LiveEntities }, opened);
        Assert.Equal(9, opened.LiveEntities["goal"]);
    }

    [Fact]
    public void An_announcement_comes_out_as_it_went_in()
    {
        var rows = new[]
        {
            new AnnouncedRow(new StoredRow(new EntityKey("goal", "a"), 2, 1, 3, null, Body), "c1"), new AnnouncedRow(new StoredRow(new EntityKey("goal", "b"), 3, 1, 3, 4, default), null),
        };
        var announcement = new Announcement(new Epoch(Guid.NewGuid()), new Revision(1), new Revision(3), rows);

        var opened = CarriedAnnouncement.Of(announcement).Open();

        Assert.Equal(announcement with { Rows = opened.Rows }, opened);
        Assert.Equal(rows, opened.Rows);
    }

    [Fact]
    public void Everything_carried_has_an_alias_and_numbers_of_its_own()
    {
        var carried = typeof(CarriedWrite).Assembly.GetTypes().Where(type => type.IsDefined(typeof(GenerateSerializerAttribute))).ToList();
        Assert.Equal(9, carried.Count);
        Assert.Equal(carried.Count, carried.Select(type => type.GetCustomAttribute<AliasAttribute>()!.Alias).Distinct().Count());
        foreach (var type in carried)
        {
            var stored = type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public).Length;
            var ids = type.GetProperties().Select(property => property.GetCustomAttribute<IdAttribute>()?.Id).OfType<uint>().Order().ToList();
            Assert.Equal(Enumerable.Range(0, stored).Select(id => (uint)id), ids);
        }
    }
}
