using System.Text;
using System.Text.Json;
using Mirubato.Gateway.Errors;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

public sealed class WireTests
{
    private static readonly Caller Ada = new(new UserId("ada"), null, 0);
    private static readonly SyncToken Token = new(new Epoch(Guid.Parse("00112233445566778899aabbccddeeff")), new Revision(7));

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    [Fact]
    public void A_push_is_sliced_into_its_documents_byte_for_byte()
    {
        var body = Utf8($$"""
            {"timestamp":1, "changes":{"entries":[ {"id":"a","x":1.0e1} ,7], "goals":null, "preferences":{"k":[]}, "repertoire":[{"scoreId":"s"}], "widgets":[1,2]}, "lastSyncToken":"{{Token}}"}
            """);
        var parsed = PushRequest.Parse(body);
        Assert.Equal(Token, parsed.Cursor);
        Assert.Equal(
            [
                ("logbook_entry", """{"id":"a","x":1.0e1}""", ItemRefusal.None), ("logbook_entry", "7", ItemRefusal.None),
                ("user_preferences", """{"k":[]}""", ItemRefusal.None), ("repertoire_item", """{"scoreId":"s"}""", ItemRefusal.None),
                ("widgets", "", ItemRefusal.UnknownType),
            ],
            parsed.Changes.Select(
                change => (change.Type, Text(body.AsMemory(change.Document.Start, change.Document.Length)), change.Refused)));
    }

    [Theory]
    [InlineData(0, ItemRefusal.None)]
    [InlineData(1, ItemRefusal.TooLarge)]
    public void An_item_past_260_KiB_is_refused_by_its_name(int over, ItemRefusal refusal)
    {
        var shell = """{"notes":"","id":"big"}""";
        var item = shell.Insert(10, new string('n', Limits.StoredBytesMax - shell.Length + over));
        var change = Assert.Single(PushRequest.Parse(Utf8($$$"""{"changes":{"entries":[{{{item}}}]}}""")).Changes);
        Assert.Equal(refusal, change.Refused);
        if (over > 0) Assert.Equal("big", change.Id);
    }

    [Theory]
    [InlineData("""{"type":"goal","id":"a","data":{}}""", ItemRefusal.None)]
    [InlineData("""{"type":"my_own_type","id":"a","data":{}}""", ItemRefusal.None)]
    [InlineData("""{"type":"goal","id":"a","deleted":true}""", ItemRefusal.None)]
    [InlineData("""{"type":"goal","deleted":true}""", ItemRefusal.Invalid)]
    [InlineData("""{"type":"goal","id":"a"}""", ItemRefusal.Invalid)]
    [InlineData("""{"type":"goal","id":"a\u0000","data":{}}""", ItemRefusal.Invalid)]
    [InlineData("""{"type":"goal","id":"\ud800","data":{}}""", ItemRefusal.Invalid)]
    [InlineData("""{"type":"goal","id":7,"data":{}}""", ItemRefusal.Invalid)]
    [InlineData("""{"type":"Goal!","id":"a","data":{}}""", ItemRefusal.UnknownType)]
    [InlineData("""{"id":"a","data":{}}""", ItemRefusal.UnknownType)]
    [InlineData("""{"type":"goal","id":"a","id":"b","data":{}}""", ItemRefusal.DuplicateKeys)]
    [InlineData("null", ItemRefusal.Invalid)]
    [InlineData("[]", ItemRefusal.Invalid)]
    public void A_bad_item_of_a_batch_is_refused_alone(string item, ItemRefusal refusal)
    {
        var changes = BatchRequest.Parse(
            Utf8(
                $$$"""{"entities":[{"type":"goal","id":"fine","data":{}},{{{item}}},{"type":"goal","id":"fine too","data":{}}]}""")).Changes;
        Assert.Equal([ItemRefusal.None, refusal, ItemRefusal.None], changes.Select(change => change.Refused));
    }

    [Fact]
    public void A_batch_item_keeps_its_scalars_and_only_a_hash_counts_as_checksum()
    {
        var hash = new string('A', 64);
        var changes = BatchRequest.Parse(
            Utf8(
                $$$"""{"entities":[{"type":"goal","id":"a","data":{"x":1},"checksum":"{{{hash}}}","version":3,"baseVersion":2},{"type":"goal","id":"b","data":{},"checksum":"crc"}]}""")).Changes;
        Assert.Equal((hash, 3L, 2L, "a"), (changes[0].Checksum, changes[0].LocalVersion, changes[0].BaseVersion, changes[0].Id));
        Assert.Null(changes[1].Checksum);
    }

    [Fact]
    public void A_push_answer_is_the_documented_form_and_the_same_bytes_each_time()
    {
        var outcome = new WriteOutcome(true,
        [
            new(new("logbook_entry", "a"), ItemStatus.Created, 5, 5, 1_700_000_000_123),
            new(new("logbook_entry", "same"), ItemStatus.Unchanged, 1, 1, 1),
            new(
                new("goal", "g"), ItemStatus.Conflict, 4, 2, 1_700_000_000_000, Refusal: ItemRefusal.Stale,
                Server: Utf8("""{"id":"g","ü":1}""")),
            new(new("widgets", ""), ItemStatus.Refused, Refusal: ItemRefusal.UnknownType),
        ], Token);
        var request = new WriteRequest(Ada, WriteScope.Push, null, default, []);
        var (status, body) = new WireAnswers().Write(request, outcome);

        Assert.Equal(200, status);
        Assert.Equal(Text(body), Text(new WireAnswers().Write(request, outcome).Body));
        using var json = JsonDocument.Parse(body);
        var root = json.RootElement;
        Assert.Equal(
            ["success", "conflicts", "stats", "results", "syncToken", "lastSeq"], root.EnumerateObject().Select(member => member.Name));
        Assert.True(root.GetProperty("success").GetBoolean());
        Assert.Equal(
            """{"entriesProcessed":2,"duplicatesPrevented":1,"goalsProcessed":0,"practicePlansProcessed":0,"planOccurrencesProcessed":0,"planTemplatesProcessed":0,"repertoireProcessed":0}""",
            root.GetProperty("stats").GetRawText());
        Assert.Equal(
            """{"entityType":"logbook_entry","entityId":"a","status":"created","seq":5,"version":5,"updatedAt":"2023-11-14T22:13:20.123Z"}""",
            root.GetProperty("results")[0].GetRawText());
        Assert.Equal(
            ["created", "conflict", "refused"],
            root.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("status").GetString()));
        var conflict = root.GetProperty("conflicts")[0];
        Assert.Equal(["entityId", "entityType", "reason", "message", "server"], conflict.EnumerateObject().Select(member => member.Name));
        Assert.Equal("""{"id":"g","ü":1}""", conflict.GetProperty("server").GetRawText());
        Assert.Equal("unknown_type", root.GetProperty("conflicts")[1].GetProperty("reason").GetString());
        Assert.Equal((Token.ToString(), 7L), (root.GetProperty("syncToken").GetString(), root.GetProperty("lastSeq").GetInt64()));
    }

    [Fact]
    public void A_strict_refusal_is_a_problem_with_the_conflicts_in_it()
    {
        var outcome = new WriteOutcome(
            false, [new(new("goal", "g"), ItemStatus.Conflict, 4, 2, 1, Refusal: ItemRefusal.Stale, Server: Utf8("{}"))], Token);
        foreach (var scope in (WriteScope[])[WriteScope.Push, WriteScope.Batch])
        {
            var (status, body) = new WireAnswers().Write(new WriteRequest(Ada, scope, null, default, [], Strict: true), outcome);
            using var json = JsonDocument.Parse(body);
            Assert.Equal(409, status);
            Assert.False(json.RootElement.GetProperty("success").GetBoolean());
            Assert.Equal("STRICT_CONFLICT", json.RootElement.GetProperty("code").GetString());
            Assert.Equal(1, json.RootElement.GetProperty("conflicts").GetArrayLength());
        }
    }

    [Fact]
    public void A_batch_counts_what_it_applied_and_brings_what_it_missed()
    {
        List<Change> changes =
        [
            new("goal", "a", default, LocalVersion: 9), new("goal", "b", default, LocalVersion: 8), new("goal", "c", default),
        ];
        var items = new ItemResult[]
        {
            new(new("goal", "a"), ItemStatus.Updated, 5, 5, 1),
            new(
                new("goal", "b"), ItemStatus.Conflict, 4, 3, 1, Refusal: ItemRefusal.Deleted,
                Server: Utf8("""{"id":"b","deletedAt":"x","version":3}""")),
            new(new("goal", "c"), ItemStatus.Unchanged, 6, 6, 1),
        };
        var rows = new StoredRow[]
        {
            new(new("goal", "z"), 3, 3, 1, null, Utf8("""{"id":"z"}""")), new(new("a_type", "y"), 4, 4, 1, 1_700_000_000_000, default),
        };
        var request = new WriteRequest(Ada, WriteScope.Batch, null, default, changes);

        var with = JsonDocument.Parse(
            new WireAnswers().Write(request, new WriteOutcome(true, items, Token, 12, rows, HasMore: true)).Body).RootElement;
        Assert.Equal((1, 2), (with.GetProperty("uploaded").GetInt32(), with.GetProperty("downloaded").GetInt32()));
        Assert.Equal(
            (8L, 3L, "deleted"),
            (
                with.GetProperty("conflicts")[0].GetProperty("localVersion").GetInt64(),
                with.GetProperty("conflicts")[0].GetProperty("remoteVersion").GetInt64(),
                with.GetProperty("conflicts")[0].GetProperty("reason").GetString()));
        Assert.Equal("z", with.GetProperty("changes").GetProperty("goals")[0].GetProperty("id").GetString());
        Assert.Equal("y", with.GetProperty("changes").GetProperty("deleted")[0].GetProperty("entityId").GetString());
        Assert.True(with.GetProperty("hasMore").GetBoolean());

        var without = JsonDocument.Parse(
            new WireAnswers().Write(request, new WriteOutcome(true, items, Token, NotMentioned: 12)).Body).RootElement;
        Assert.Equal(12, without.GetProperty("downloaded").GetInt32());
        Assert.False(without.TryGetProperty("changes", out _));
    }

    [Fact]
    public void Every_refusal_has_a_word_and_a_sentence_and_every_problem_a_form()
    {
        foreach (var refusal in Enum.GetValues<ItemRefusal>().Except([ItemRefusal.None]))
        {
            var (reason, message) = ItemMessages.Why(new ItemResult(new("goal", "g"), ItemStatus.Refused, Refusal: refusal));
            Assert.Equal(JsonNamingPolicy.SnakeCaseLower.ConvertName($"{refusal}"), reason);
            Assert.EndsWith(".", message, StringComparison.Ordinal);
        }

        var codes = Enum.GetValues<Problem>().Select(problem => problem.Form().Code).ToList();
        Assert.Equal(codes.Count, codes.Distinct().Count());
        foreach (var refusal in Enum.GetValues<RequestRefusal>().Except([RequestRefusal.None]))
        {
            Assert.NotEqual(Problem.Internal, Problems.From(refusal));
        }
    }
}
