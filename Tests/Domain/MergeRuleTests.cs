using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>The merge rules one by one, each by the case it is there for. Times are milliseconds after <see cref="T"/>.</summary>
public sealed class MergeRuleTests
{
    private const long T = 1_800_000_000_000;

    private readonly ModelServer server = new();

    [Fact]
    public void A_later_edit_wins_and_an_earlier_one_is_kept_in_the_feed()
    {
        Assert.Equal(ItemStatus.Created, Edit("a", "one", 0, now: 10));
        Assert.Equal(ItemStatus.Updated, Edit("b", "two", 5, now: 11));
        Assert.Equal(ItemStatus.Conflict, Edit("c", "three", 4, now: 12));
        AssertStored("two");
        Assert.Equal(["stale", "replaced"], server.Reasons.OrderDescending(StringComparer.Ordinal));
    }

    [Fact]
    public void One_action_by_both_paths_is_one_event_and_no_conflict() // Rule 2
    {
        Edit("a", "one", 0, now: 10);
        Assert.Equal(ItemStatus.Unchanged, Edit(null, "one with other defaults", 0, now: 11));
        AssertStored("one");
        Assert.Empty(server.Reasons);
    }

    [Fact]
    public void Two_edits_without_a_clock_are_not_one_action()
    {
        server.Push("a", T, [ModelServer.Edit("goal", "g", "one", null)]);
        var second = server.Push(null, T + 1, [ModelServer.Edit("goal", "g", "two", null)]);
        Assert.NotEqual(ItemStatus.Unchanged, Assert.Single(second).Status);
        server.AssertNothingIsLost();
    }

    [Fact]
    public void A_writer_that_names_the_current_version_wins_whatever_its_clock() // Rule 3
    {
        Edit("a", "one", 0, now: 10);
        var slow = server.Push("b", T + 20, [ModelServer.Edit("goal", "g", "two", T - 1_000_000, baseVersion: 1)]);
        Assert.Equal(ItemStatus.Updated, Assert.Single(slow).Status);
        Assert.Empty(server.Reasons);
        Assert.Equal(ItemStatus.Conflict, Edit("c", "three", 0, now: 21));
    }

    [Fact]
    public void A_queue_made_on_one_version_is_applied_in_its_order()
    {
        Edit("a", "one", 0, now: 10);
        var results = server.Push("b", T + 20, [
            ModelServer.Edit("goal", "g", "two", T - 2_000, baseVersion: 1),
            ModelServer.Edit("goal", "g", "three", T - 1_000, baseVersion: 1)]);
        Assert.All(results, r => Assert.Equal((ItemStatus.Updated, 2L, 2L), (r.Status, r.Seq, r.Version)));
        AssertStored("three");
    }

    [Fact]
    public void What_was_deleted_comes_back_only_on_its_tombstones_version() // Rule 4
    {
        Edit("a", "one", 0, now: 10);
        server.Push("a", T + 20, [ModelServer.Delete("goal", "g", T + 15)]);
        var late = Assert.Single(server.Push("b", T + 30, [ModelServer.Edit("goal", "g", "two", T + 25)]));
        Assert.Equal((ItemStatus.Conflict, ItemRefusal.Deleted), (late.Status, late.Refusal));
        Assert.Equal(
            ItemStatus.Created,
            Assert.Single(server.Push("b", T + 40, [ModelServer.Edit("goal", "g", "two", T + 35, baseVersion: 2)])).Status);
        AssertStored("two");
    }

    [Fact]
    public void In_a_tie_the_later_client_time_wins_and_the_stored_state_is_announced_again() // Rule 5
    {
        Edit("fast", "one", 500, now: 10);
        Assert.Equal(ItemStatus.Updated, Edit("fast", "two", 600, now: 10));
        Assert.Equal(ItemStatus.Conflict, Edit("fast", "three", 550, now: 10));
        AssertStored("two");
        Assert.Equal((3L, 3L), (server.Row(Key).Seq, server.Row(Key).Version));
        Assert.True(server.Row(Key).UpdatedAtMs > T + 600);
    }

    [Fact]
    public void In_a_tie_of_equal_client_times_a_delete_beats_an_edit()
    {
        Edit("a", "one", 0, now: 10);
        server.Push("b", T + 11, [ModelServer.Delete("goal", "g", T)]);
        Assert.NotNull(server.Row(Key).DeletedAtMs);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("two")]
    [InlineData("three")]
    public void In_a_tie_of_equal_client_times_the_higher_named_version_wins_before_the_fingerprint(string lower)
    {
        var (six, seven) = (
            ModelServer.Edit("goal", "g", lower, T) with { LocalVersion = 6 },
            ModelServer.Edit("goal", "g", "higher", T) with { LocalVersion = 7 });
        server.Push("a", T + 10, [six]);
        Assert.Equal(ItemStatus.Updated, Assert.Single(server.Push("b", T + 11, [seven])).Status);
        Assert.Equal(
            ItemStatus.Conflict,
            Assert.Single(server.Push("c", T + 12, [ModelServer.Edit("goal", "g", $"{lower} again", T) with { LocalVersion = 6 }])).Status);
        AssertStored("higher");
    }

    [Fact]
    public void A_stale_copy_with_an_updatedAt_that_the_server_raised_loses_the_tie()
    {
        var piece = new EntityKey("repertoire_item", "a-b");
        server.Push("a", T + 10, [ModelServer.Edit(piece.Type, piece.Id, "one", T + 90_000)]);
        server.Push("b", T + 40_000, [ModelServer.Edit(piece.Type, piece.Id, "two", T + 40_010)]);
        server.Push("b", T + 40_000, [ModelServer.Delete(piece.Type, piece.Id, T + 40_011)]);
        server.Push("c", T + 40_001, [ModelServer.Edit(piece.Type, piece.Id, "two", T + 90_001)]);
        Assert.NotNull(server.Row(piece).DeletedAtMs);
    }

    [Fact]
    public void A_raised_updatedAt_that_time_has_passed_is_an_echo_all_the_same()
    {
        Edit("a", "one", 90_000, now: 2);
        Edit("b", "beaten", 2, now: 100_000);
        var raised = server.Row(Key).UpdatedAtMs;
        Edit("c", "newer", 22_000, now: 100_001);
        Assert.Equal(ItemStatus.Conflict, Edit("b", "one", raised - T, now: 100_002));
        AssertStored("newer");
    }

    [Fact]
    public void An_early_edit_of_a_device_with_a_fast_clock_that_is_sent_late_does_not_beat_later_edits()
    {
        Edit("fast", "two", 600, now: 10);
        Edit("other", "newer", 20, now: 20);
        Assert.Equal(ItemStatus.Conflict, Edit("fast", "one", 550, now: 30));
        AssertStored("newer");
    }

    [Fact]
    public void A_server_clock_that_was_set_back_blocks_no_later_edit()
    {
        Edit("a", "one", 3_600_000, now: 3_600_000);
        Assert.Equal(ItemStatus.Updated, Edit("b", "two", 10, now: 5));
        Assert.True(server.Row(Key).UpdatedAtMs > T + 3_600_000);
    }

    private static EntityKey Key => new("goal", "g");

    private ItemStatus Edit(string? device, string value, long at, long now) =>
        Assert.Single(server.Push(device, T + now, [ModelServer.Edit("goal", "g", value, T + at)])).Status;

    private void AssertStored(string value) =>
        Assert.Contains($"\"{value}\"", System.Text.Encoding.UTF8.GetString(server.Row(Key).Data.Span), StringComparison.Ordinal);
}
