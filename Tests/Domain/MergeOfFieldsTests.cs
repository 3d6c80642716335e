using System.Text;
using System.Text.Json;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>Rule 3b clause by clause, each by the case it is there for. Times are milliseconds after <see cref="T"/>.</summary>
public sealed class MergeOfFieldsTests
{
    private const long T = 1_800_000_000_000;

    private readonly ModelServer server = new();
    private string type = "annotation";

    private EntityKey Key => new(type, "x");

    [Fact]
    public void Members_that_only_one_side_changed_keep_its_value_also_when_it_took_them_out()
    {
        Push("a", 0, """ "a":1,"b":1,"c":1,"d":null """);
        Push("b", 10, """ "a":1,"b":2,"c":1,"e":5 """, on: 1);
        var merged = Push("c", 20, """ "a":3,"b":1 """, on: 1);

        Assert.Equal(ItemStatus.Merged, merged.Status);
        Assert.Null(merged.Members);
        AssertStored("""{"a":3,"b":2,"e":5}""");
        Assert.Empty(server.Reasons);
    }

    [Fact]
    public void A_contest_is_decided_against_the_edit_that_changed_this_member_and_not_against_the_documents_time()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        Push("c", 50, """ "a":2,"b":2 """, on: 2);

        // Later than the edit of a, earlier than the last edit of the document.
        var merged = Push("d", 60, """ "a":3,"b":1 """, on: 1, at: 30);
        Assert.Equal(ItemStatus.Merged, merged.Status);
        AssertStored("""{"a":3,"b":2}""");
        Assert.Equal(["replaced"], server.Reasons);

        Assert.Equal(["/a"], Push("e", 70, """ "a":4,"b":1 """, on: 1, at: 20).Members!);
        AssertStored("""{"a":3,"b":2}""");
    }

    [Fact]
    public void A_merged_state_is_judged_by_the_edit_that_arrived_and_not_by_its_own_time()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 100, """ "a":1,"b":2 """, on: 1);
        Push("c", 110, """ "a":2,"b":1 """, on: 1, at: 20);
        Assert.Equal(ItemStatus.Merged, Push("d", 120, """ "a":3,"b":1 """, on: 1, at: 50).Status);
        AssertStored("""{"a":3,"b":2}""");
    }

    [Fact]
    public void An_edit_counts_as_later_than_its_base_however_slow_its_clock_is()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 100, """ "a":2,"b":1 """, on: 1);
        Push("b", 110, """ "a":3,"b":1 """, on: 2);
        Assert.Equal(ItemStatus.Merged, Push("c", 120, """ "a":2,"b":2 """, on: 2, at: 1).Status);

        // It changed b after an edit at 100, although its clock says 1.
        Assert.Equal(["/b"], Push("d", 130, """ "a":1,"b":3 """, on: 1, at: 60).Members ?? ["none"]);
    }

    [Fact]
    public void Where_a_version_between_is_no_longer_known_the_later_document_wins_as_a_whole()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        Push("c", 20, """ "a":3,"b":1 """, on: 2);
        server.Forget(Key, 2);

        // It received its value of a from b; that can no longer be known.
        Assert.Equal(ItemStatus.Updated, Push("d", 30, """ "a":2,"b":2 """, on: 1).Status);
        AssertStored("""{"a":2,"b":2}""");
        Assert.Equal(["replaced"], server.Reasons);
    }

    [Fact]
    public void The_time_that_the_server_makes_for_a_merged_state_is_not_taken_for_a_devices_action()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        Push("c", 20, """ "a":1,"b":2 """, on: 1);

        // Not the second path of one action, though it has that clock and names no device.
        var other = Send(null, 30, Item(""" "a":7,"b":7 """, null, at: 21), merges: false);
        Assert.NotEqual(ItemStatus.Unchanged, other.Status);
    }

    [Fact]
    public void If_all_that_was_new_lost_it_is_a_conflict_with_members()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 50, """ "a":2,"b":1 """, on: 1);
        var lost = Push("c", 60, """ "a":3,"b":1 """, on: 1, at: 20);
        Assert.Equal((ItemStatus.Conflict, ItemRefusal.Stale, "/a"), (lost.Status, lost.Refusal, Assert.Single(lost.Members!)));
        Assert.Equal(2, lost.Version);
        Assert.Contains("\"a\":2", Encoding.UTF8.GetString(lost.Server.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_a_version_in_between_had_is_not_the_senders_change()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        Push("c", 20, """ "a":3,"b":1 """, on: 2);
        var late = Push("b", 30, """ "a":2,"b":1 """, on: 1, at: 15);
        Assert.Equal((ItemStatus.Merged, true), (late.Status, late.TookNoRevision));
        AssertStored("""{"a":3,"b":1}""");
        Assert.Empty(server.Reasons);
    }

    [Fact]
    public void Nothing_new_takes_no_revision_unless_its_clock_is_past_what_was_sent()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        var quiet = Push("c", 20, """ "a":1,"b":1,"n":null """, on: 1, at: 5);
        Assert.Equal((ItemStatus.Merged, true, 2L), (quiet.Status, quiet.TookNoRevision, quiet.Seq));
        Assert.Contains("\"a\":2", Encoding.UTF8.GetString(quiet.Document.Span), StringComparison.Ordinal);

        var ahead = Push("c", 30, """ "a":1,"b":1 """, on: 1, at: 25);
        Assert.Equal((ItemStatus.Merged, false, 3L), (ahead.Status, ahead.TookNoRevision, ahead.Seq));
        Assert.True(ahead.UpdatedAtMs > T + 25);
        Assert.Equal(ItemStatus.Conflict, Send("c", 100_000, Item(""" "a":1,"b":1 """, null, 25), merges: false).Status);
        AssertStored("""{"a":2,"b":1}""");
    }

    [Fact]
    public void Objects_are_merged_inside_where_all_three_have_one_and_else_are_one_member()
    {
        Push("a", 0, """ "s":{"x":1,"y":{"z":1}},"o":1 """);
        Push("b", 10, """ "s":{"x":2,"y":{"z":1}},"o":{"p":1} """, on: 1);
        var merged = Push("c", 20, """ "s":{"x":1,"y":{"z":2,"new":3}},"o":{"q":1} """, on: 1, at: 5);
        Assert.Equal(["/o"], merged.Members!);
        AssertStored("""{"o":{"p":1},"s":{"x":2,"y":{"new":3,"z":2}}}""");
    }

    [Fact]
    public void Pointers_are_escaped_and_lists_are_one_value()
    {
        Push("a", 0, """ "s":{"a/b~c":[1],"k":1} """);
        Push("b", 50, """ "s":{"a/b~c":[1,2],"k":1} """, on: 1);
        Assert.Equal(["/s/a~1b~0c"], Push("c", 60, """ "s":{"a/b~c":[3,1],"k":2} """, on: 1, at: 10).Members!);
        AssertStored("""{"s":{"a/b~c":[1,2],"k":2}}""");
    }

    [Fact]
    public void Members_that_make_sense_only_together_are_one()
    {
        type = "goal";
        Push("a", 0, """ "progress":10,"status":"active","title":"t" """);
        Push("b", 50, """ "progress":100,"status":"done","title":"t" """, on: 1);
        Assert.Equal(["/progress", "/status"], Push("c", 60, """ "progress":20,"status":"active","title":"u" """, on: 1, at: 10).Members!);
        AssertMember("progress", "100");
        AssertMember("status", "\"done\"");
        AssertMember("title", "\"u\"");
    }

    [Fact]
    public void Two_spellings_are_one_member()
    {
        type = "logbook_entry";
        Push("a", 0, """ "goalIds":["g"],"notes":"n" """);
        Push("b", 50, """ "goalIds":["g","h"],"goal_ids":["g","h"],"notes":"n" """, on: 1);
        Assert.Equal(["/goalIds", "/goal_ids"], Push("c", 60, """ "goal_ids":["i"],"notes":"m" """, on: 1, at: 10).Members!);
        AssertMember("goalIds", """["g","h"]""");
        AssertMember("goal_ids", """["g","h"]""");
    }

    [Fact]
    public void Ids_of_pieces_and_bookkeeping_are_never_contested()
    {
        type = "logbook_entry";
        Push("a", 0, """ "pieces":[{"id":"p1","title":"t"}],"n":1,"createdAt":5 """);
        Push("b", 10, """ "pieces":[{"id":"p2","title":"t"}],"n":2,"createdAt":6 """, on: 1);
        var merged = Push("c", 20, """ "pieces":[{"id":"p3","title":"t"}],"m":3,"n":1,"createdAt":7 """, on: 1);
        Assert.Null(merged.Members);
        AssertMember("createdAt", "7");
        AssertMember("n", "2");
        AssertMember("m", "3");
    }

    [Fact]
    public void A_devices_own_later_edit_replaces_its_earlier_one_without_a_row()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        Assert.Equal(ItemStatus.Merged, Push("b", 20, """ "a":3,"b":1 """, on: 1).Status);
        AssertStored("""{"a":3,"b":1}""");
        Assert.Empty(server.Reasons);
    }

    [Fact]
    public void Of_items_that_name_one_base_each_is_based_on_the_one_before_it()
    {
        Push("a", 0, """ "a":1,"b":1,"c":1 """);
        Push("b", 50, """ "a":2,"b":1,"c":1 """, on: 1);
        var results = server.Push(
            "c", T + 60,
            [Item(""" "a":1,"b":2,"c":1 """, 1, 10), Item(""" "a":1,"b":3,"c":1 """, 1, 11), Item(""" "a":1,"b":3,"c":4 """, 1, 12)],
            merges: true);
        Assert.All(results, result => Assert.Equal((ItemStatus.Merged, 3L), (result.Status, result.Version)));
        AssertStored("""{"a":2,"b":3,"c":4}""");
        Assert.Empty(server.Reasons);
    }

    [Fact]
    public void A_later_item_of_a_request_takes_back_what_an_earlier_one_changed()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        server.Push("c", T + 20, [Item(""" "a":1,"b":2 """, 1, 15), Item(""" "a":1,"b":1 """, 1, 16)], merges: true);
        AssertStored("""{"a":2,"b":1}""");
    }

    [Fact]
    public void A_result_that_is_too_large_is_left_to_rule_5()
    {
        var half = new string('x', 140 * 1024);
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, $$""" "a":"{{half}}","b":1 """, on: 1);
        Assert.Equal(ItemStatus.Updated, Push("c", 20, $$""" "a":1,"b":"{{half}}" """, on: 1).Status);
        Assert.Equal(["replaced"], server.Reasons);
    }

    [Fact]
    public void Deletes_never_merge_and_an_edit_of_what_was_deleted_does_not_bring_it_back()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        Send("c", 20, ModelServer.Delete(type, "x", T + 20, 1));
        Assert.NotNull(server.Row(Key).DeletedAtMs);
        Assert.Equal(ItemRefusal.Deleted, Push("d", 30, """ "a":1,"b":3 """, on: 1).Refusal);
    }

    [Theory]
    [InlineData("b", 10)]
    [InlineData("c", 20)]
    public void Neither_original_of_a_merge_undoes_or_repeats_anything_when_it_comes_by_a_second_path(string device, long at)
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1);
        Push("c", 20, """ "a":1,"b":2 """, on: 1);
        var original = device == "b" ? """ "a":2,"b":1 """ : """ "a":1,"b":2 """;

        Assert.Equal(ItemStatus.Unchanged, Send(null, 30, Item(original, null, at), merges: false).Status);
        Assert.Equal(ItemStatus.Conflict, Send(device, 40, Item(original, null, at), merges: false).Status);
        AssertStored("""{"a":2,"b":2}""");
    }

    [Fact]
    public void A_merge_takes_a_time_above_both_and_an_updatedAt_that_grows()
    {
        Push("a", 0, """ "a":1,"b":1 """);
        Push("b", 10, """ "a":2,"b":1 """, on: 1, at: 90_000);
        var merged = Push("c", 20, """ "a":1,"b":2 """, on: 1);
        var head = server.Head(Key)!;
        Assert.Equal((T + 21, T + 90_001, T + 90_001), (head.EffectiveMs, head.ClientMs, merged.UpdatedAtMs));
        Assert.Equal(new ChangeTime(T + 20, T + 20, new DeviceId("c")), head.MergedIn);

        // The clock ahead was one device's: the other may still write, and wins by its own.
        Assert.Equal(ItemStatus.Updated, Send("c", 30, Item(""" "a":9,"b":9 """, null, 30), merges: false).Status);
    }

    private ItemResult Push(string device, long now, string members, long? on = null, long? at = null) =>
        Send(device, now, Item(members, on, at ?? now));

    private ItemResult Send(string? device, long now, Item item, bool merges = true) =>
        Assert.Single(server.Push(device, T + now, [item], merges));

    private Item Item(string members, long? on, long at) => new(
        type, "x", Encoding.UTF8.GetBytes($$"""{"id":"x",{{members}},"updatedAt":{{T + at}}}"""), BaseVersion: on);

    private void AssertMember(string name, string json) =>
        Assert.Equal(json, JsonDocument.Parse(server.Row(Key).Data).RootElement.GetProperty(name).GetRawText());

    /// <summary>The members the server does not add, by name.</summary>
    private void AssertStored(string json)
    {
        var stored = JsonDocument.Parse(server.Row(Key).Data).RootElement.EnumerateObject()
            .Where(member => member.Name is not ("id" or "user_id" or "version" or "updatedAt" or "updated_at"))
            .Where(member => member.Value.ValueKind is not JsonValueKind.Null)
            .ToDictionary(member => member.Name, member => member.Value);
        Assert.Equal(Canonical(json), Canonical(JsonSerializer.Serialize(stored)));
    }

    private static string Canonical(string json) => Write(JsonDocument.Parse(json).RootElement);

    private static string Write(JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object) return value.GetRawText();
        var members = value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal);
        return $"{{{string.Join(',', members.Select(member => $"{member.Name}:{Write(member.Value)}"))}}}";
    }
}
