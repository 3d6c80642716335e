using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;
using static Mirubato.Tests.Domain.Items;

namespace Mirubato.Tests.Domain;

/// <summary>What is stored and sent out for what came in.</summary>
public sealed class NormalizationTests
{
    [Theory]
    [InlineData("logbook_entry", """{"id":"a","type":"PRACTICE"}""", "type", "practice")]
    [InlineData("logbook_entry", """{"id":"a","mood":"Proud"}""", "mood", "proud")]
    [InlineData("logbook_entry", """{"id":"a","instrument":"P\u0049ANO"}""", "instrument", "piano")]
    [InlineData("goal", """{"id":"a","instrument":"Guitar"}""", "instrument", "guitar")]
    [InlineData("goal", """{"id":"a","type":"Custom"}""", "type", "Custom")]
    [InlineData("logbook_entry", """{"id":"a","type":7}""", "type", 7)]
    [InlineData("logbook_entry", """{"id":"a","goalIds":["G"]}""", "goal_ids", new[] { "G" })]
    [InlineData("logbook_entry", """{"id":"a","goal_ids":["G"]}""", "goalIds", new[] { "G" })] // Regression 9.
    [InlineData("logbook_entry", """{"id":"a","goal_ids":["G"],"goalIds":["H"]}""", "goalIds", new[] { "H" })]
    [InlineData("logbook_entry", """{"id":"a","goal_ids":["G"],"goalIds":null}""", "goalIds", new[] { "G" })]
    [InlineData("logbook_entry", """{"id":"a","createdAt":5}""", "created_at", 5)]
    [InlineData("practice_plan", """{"id":"a","created_at":"2025-09-09"}""", "createdAt", "2025-09-09")]
    [InlineData("plan_occurrence", """{"id":"a","planId":"P"}""", "plan_id", "P")]
    [InlineData("plan_occurrence", """{"id":"a","plan_id":"P"}""", "planId", "P")]
    [InlineData("repertoire_item", """{"scoreId":"A - B"}""", "score_id", "a-b")]
    [InlineData("repertoire_item", """{"score_id":"A - B"}""", "scoreId", "a-b")]
    [InlineData("repertoire_item", """{"score_id":"A - B"}""", "score_id", "a-b")]
    [InlineData("logbook_entry", """{"id":"a","scoreId":"A - B"}""", "scoreId", "a-b")]
    [InlineData("logbook_entry", """{"id":"a","score_id":"A - B"}""", "score_id", "a-b")]
    [InlineData("logbook_entry", """{"id":"a","scoreTitle":"Clair de Lune","scoreComposer":"C. Debussy"}""", "scoreId", "clair de lune-c debussy")]
    [InlineData("logbook_entry", """{"id":"a","scoreTitle":"Clair de Lune","composer":"Debussy","scoreId":null}""", "scoreId", "clair de lune-debussy")]
    [InlineData("logbook_entry", """{"id":"a","scoreTitle":"Title"}""", "scoreId", "title-unknown")]
    [InlineData("logbook_entry", """{"id":"a","scoreTitle":"Title","score_id":"A - B"}""", "scoreId", null)]
    [InlineData("logbook_entry", """{"id":"a","scoreTitle":"Title","score_id":" ","scoreId":""}""", "scoreId", "title-unknown")]
    [InlineData("logbook_entry", """{"id":"a","scoreTitle":"Title","score_id":" "}""", "score_id", "")]
    [InlineData("goal", """{"id":"a","scoreId":"A - B"}""", "scoreId", "A - B")]
    [InlineData("goal", """{"id":"a","user_id":"someone else"}""", "user_id", "user_1")]
    [InlineData("goal", """{"id":"a"}""", "user_id", "user_1")]
    [InlineData("chess_game", """{"id":"a"}""", "user_id", "user_1")]
    public void A_member_is_normalized(string type, string document, string member, object? expected) =>
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(expected)), Rendered(Read(type, document))[member]),
            Text(Read(type, document)));

    [Theory]
    [InlineData("""{"id":"A - B","title":"x"}""", "a-b")]
    [InlineData("""{"id":"score_AbC","title":"x"}""", "score_AbC")]
    [InlineData("""{"title":"Suite — I","composer":"Bach"}""", "suite - i||bach")]
    [InlineData("""{"id":null,"title":"Suite","composer":null}""", "suite-unknown")]
    [InlineData("""{"id":"","title":"Suite"}""", "suite-unknown")]
    [InlineData("""{"\u0069d":"A - B"}""", "a-b")]
    [InlineData("""{"id":7,"title":"x"}""", 7)]
    [InlineData("""{"id":"Über – x"}""", "über – x-unknown")]
    [InlineData("{}", null)]
    [InlineData("""{"title":" "}""", null)]
    public void A_piece_gets_its_id(string piece, object? id)
    {
        var incoming = Entry($$"""{"id":"a","pieces":[null,{{piece}},3]}""");
        Assert.Equal(
            System.Text.Json.JsonSerializer.Serialize(id), Rendered(incoming)["pieces"]![1]!["id"]?.ToJsonString(Plain) ?? "null",
            ignoreCase: false);
        Assert.Equal(ItemRefusal.None, incoming.Refusal);
    }

    private static readonly System.Text.Json.JsonSerializerOptions Plain = new();

    [Theory]
    [InlineData("goal", """{"id":"a","updatedAt":5}""", """{"id":"a","updatedAt":10,"user_id":"user_1","version":2,"updated_at":10}""")]
    [InlineData("goal", """{"id":"a","updatedAt":"1970-01-01","updated_at":5}""", """{"id":"a","updatedAt":"ISO","updated_at":10,"user_id":"user_1","version":2}""")]
    [InlineData("goal", """{"id":"a","updatedAt":1e300}""", """{"id":"a","updatedAt":"ISO","user_id":"user_1","version":2,"updated_at":"ISO"}""")]
    [InlineData("goal", """{"id":"a","version":1}""", """{"id":"a","version":2,"user_id":"user_1","updatedAt":"ISO"}""")]
    [InlineData("practice_plan", """{"id":"a","updatedAt":5}""", """{"id":"a","updatedAt":"ISO","user_id":"user_1","version":2,"updated_at":"ISO"}""")]
    [InlineData("practice_plan", """{"updated_at":"soon","id":"a"}""", """{"updated_at":"ISO","id":"a","user_id":"user_1","version":2,"updatedAt":"ISO"}""")]
    [InlineData("practice_plan", """{"updated_at":null,"id":"a"}""", """{"updated_at":"ISO","id":"a","user_id":"user_1","version":2,"updatedAt":"ISO"}""")]
    [InlineData("practice_plan", """{"id":"a","version":{"x":[1]}}""", """{"id":"a","version":2,"user_id":"user_1","updatedAt":"ISO"}""")]
    public void Version_and_time_go_out_in_the_form_of_the_type_and_in_every_spelling(string type, string document, string expected) =>
        Assert.Equal(expected.Replace("ISO", "1970-01-01T00:00:00.010Z"), Text(Read(type, document), version: 2, publishedMs: 10));

    [Fact]
    public void What_nobody_asked_to_change_keeps_order_spelling_and_lone_surrogates()
    {
        const string sent = """{"n":[1.0,1E3,-0,12345678901234567890],"s":"\ud800 A \/ é","\ud83d":null,"o":{"z":1,"a":2},"id":"a"}""";
        Assert.Equal(sent[..^1] + ""","user_id":"user_1","version":1,"updatedAt":"1970-01-01T00:00:00.000Z"}""", Text(Entry(sent)));
    }

    [Fact]
    public void A_lone_surrogate_survives_where_its_string_is_rewritten() =>
        Assert.Contains("\"type\":\"\\ud800a\"", Text(Entry("""{"id":"a","type":"\uD800A"}""")));

    [Fact]
    public void A_document_is_stored_on_one_line() =>
        Assert.DoesNotContain('\n', Text(Entry("\n{\r\n\t\"id\": \"a\",\n \"x\": [\n1 ]\n}\n")));

    // Regression 19: unknown fields, score fields, goal progress and milestones are stripped on one path.
    [Theory]
    [InlineData("logbook_entry", """
        {"id":"e1","timestamp":"2025-09-09T10:00:00+02:00","type":"masterclass","mood":"proud","instrument":"piano","pieces":[{"id":"a-b","title":"A","composer":null,"measures":"1-8"}],
         "scoreId":"a-b","scoreTitle":"A","scoreComposer":"B","goal_ids":["g"],"goalIds":["g"],"metrics":{"deep":{"er":[null,1.50,{"x":"\u00e9🎹"}]}},"startDate":"2025-09-09","unknown":null,"user_id":"user_1"}
        """)]
    [InlineData("goal", """
        {"id":"g1","title":"Chaconne","progress":0.35,"status":"paused","targetDate":1798675200000,"milestones":[{"id":"m1","completed":false}],"practicePlan":[],"relatedSessions":["e1"],"composer":null,"user_id":"user_1","updatedAt":0,"updated_at":0}
        """)]
    [InlineData("practice_plan", """{"id":"p1","schedule":{"kind":"recurring","rule":"FREQ=DAILY"},"reminders":null,"createdAt":"2025-09-09","created_at":"2025-09-09","user_id":"user_1"}""")]
    [InlineData("repertoire_item", """{"id":"a-b","scoreId":"a-b","score_id":"a-b","status":"learning","personalNotes":"","referenceLinks":["https://example.org"],"user_id":"user_1","updated_at":0,"updatedAt":0}""")]
    public void A_rich_document_comes_back_equal_but_for_version_and_time(string type, string document)
    {
        var sent = JsonNode.Parse(document)!.AsObject();
        var back = Rendered(Read(type, document));
        sent["version"] = 1;
        if (!sent.ContainsKey("updatedAt")) sent["updatedAt"] = "1970-01-01T00:00:00.000Z";
        Assert.True(JsonNode.DeepEquals(sent, back), back.ToJsonString());
    }

    // Regression 20: one odd item sinks the whole push.
    [Theory]
    [InlineData("""{"id":"a","pieces":[{"title":"T","composer":null}]}""")]
    [InlineData("""{"id":"a","timestamp":"2025-09-09T10:00:00+02:00","type":"LESSON"}""")]
    [InlineData("""{"id":"a","pieces":"none","scoreId":7,"goalIds":{}}""")]
    [InlineData("""{"id":"a","updatedAt":[],"createdAt":{},"version":"x","timestamp":false}""")]
    public void Odd_items_are_taken(string document)
    {
        foreach (var type in EntityTypes.Named) Assert.Equal(ItemRefusal.None, Read(type.Name, document).Refusal);
    }

    [SeededProperty(3_000)]
    public void What_was_stored_and_is_sent_again_is_the_same_and_stays_as_it_is(DoNotSize<int> seed)
    {
        var random = new Json.RandomJson(seed.Item);
        var pick = new Random(seed.Item);
        string[] members =
        [
            "id", "scoreId", "score_id", "scoreTitle", "goalIds", "goal_ids", "createdAt", "updated_at", "updatedAt", "type", "mood",
            "pieces", "plan_id", "version", "baseVersion", "deletedAt", "x",
        ];
        var model = members.Where(_ => pick.Next(2) == 0).ToDictionary(m => m, _ => random.Value(2));
        if (pick.Next(2) == 0)
        {
            model["pieces"] = new List<object?> { random.Object(1), new Dictionary<string, object?> { ["title"] = random.Value(0) } };
        }
        var type = EntityTypes.Named[pick.Next(EntityTypes.Named.Count)];
        var sent = random.Spell(model);
        var first = Read(new Item(type.Name, "id", Encoding.UTF8.GetBytes(sent)));
        if (first.Refusal is ItemRefusal.Invalid && type == EntityTypes.RepertoireItem) return; // A random score id names nothing.
        Assert.True(first.Refusal is ItemRefusal.None, sent);
        var again = Read(new Item(type.Name, "id", first.Document.Render(4, 1_000)));
        var stored = Text(again, 4, 1_000); // The first time out adds updatedAt where there was none, the second its other spelling.
        var third = Read(new Item(type.Name, "id", Encoding.UTF8.GetBytes(stored)));
        Assert.True(first.Fingerprint == again.Fingerprint && again.Fingerprint == third.Fingerprint, $"{sent}\n{stored}");
        Assert.True(stored == Text(third, 4, 1_000), $"{stored}\n{Text(third, 4, 1_000)}");
    }

    [Fact]
    public void A_tombstone_says_what_is_gone_and_since_when() =>
        Assert.Equal(
            """{"id":"a\"b","deletedAt":"1970-01-01T00:00:00.005Z","version":7}""",
            Encoding.UTF8.GetString(Tombstone.Render(new EntityKey("goal", "a\"b"), 7, 5).Span));
}
