using System.Text;
using Mirubato.Grains.Interfaces;
using static Mirubato.Tests.Domain.Items;

namespace Mirubato.Tests.Domain;

/// <summary>What is refused, what an item is called, which client time it has.</summary>
public sealed class ItemParserTests
{
    [Theory]
    [InlineData("[]", ItemRefusal.Invalid)]
    [InlineData("null", ItemRefusal.Invalid)]
    [InlineData("\"text\"", ItemRefusal.Invalid)]
    [InlineData("{}", ItemRefusal.Invalid)]
    [InlineData("", ItemRefusal.Invalid)]
    [InlineData("{\"id\":", ItemRefusal.Invalid)]
    [InlineData("""{"id":7}""", ItemRefusal.Invalid)]
    [InlineData("""{"id":null}""", ItemRefusal.Invalid)]
    [InlineData("""{"id":""}""", ItemRefusal.Invalid)]
    [InlineData("""{"id":"a\u0000b"}""", ItemRefusal.Invalid)]
    [InlineData("""{"id":"a\ud800"}""", ItemRefusal.Invalid)]
    [InlineData("""{"id":"a","n":1e999}""", ItemRefusal.NumberOutOfRange)]
    [InlineData("""{"id":"a","version":1e999}""", ItemRefusal.NumberOutOfRange)]
    [InlineData("""{"id":"a","id":"a"}""", ItemRefusal.DuplicateKeys)]
    [InlineData("""{"id":"a","x":1,"\u0078":2}""", ItemRefusal.DuplicateKeys)]
    [InlineData("""{"id":"a","device_id":{"x":1,"x":2}}""", ItemRefusal.DuplicateKeys)] // Also in what no fingerprint covers,
    [InlineData("""{"id":"a","pieces":[{"id":{"x":1,"x":2}}]}""", ItemRefusal.DuplicateKeys)]
    [InlineData("""{"id":"a","baseVersion":1,"baseVersion":2}""", ItemRefusal.DuplicateKeys)] // in what is taken out,
    [InlineData("""{"id":"a","deletedAt":1,"x":{"y":1,"y":2}}""", ItemRefusal.DuplicateKeys)] // and in a delete.
    public void Bad_items_are_refused_with_their_reason(string document, ItemRefusal why) => Assert.Equal(why, Entry(document).Refusal);

    [Fact]
    public void Bytes_that_are_no_UTF8_are_invalid() =>
        Assert.Equal(
            ItemRefusal.Invalid,
            Read(new Item("goal", "g", new byte[] { (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}' })).Refusal);

    [Theory]
    [InlineData(0, ItemRefusal.None)]
    [InlineData(1, ItemRefusal.TooLarge)]
    public void A_document_is_at_most_256_KiB(int past, ItemRefusal why)
    {
        const string frame = """{"id":"a","notes":""}""";
        var document = $$"""{"id":"a","notes":"{{new string('x', Limits.EntityBytesMax - frame.Length + past)}}"}""";
        Assert.Equal(Limits.EntityBytesMax + past, document.Length);
        Assert.Equal(why, Entry(document).Refusal);
        Assert.Equal("a", Entry(document).Entity.Id);
    }

    [Theory]
    [InlineData("""{"id":"a","goalIds":["g"],"scoreTitle":"T","pieces":[{"title":"x"}],"notes":"NOTES"}""")]
    [InlineData("""{"id":"a","notes":"NOTES"}""")]
    public void A_stored_copy_of_the_largest_document_is_taken_back_unchanged(string shape)
    {
        var document = shape.Replace("NOTES", new string('x', Limits.EntityBytesMax - shape.Length + 5), StringComparison.Ordinal);
        var stored = Entry(document);
        Assert.Equal(ItemRefusal.None, stored.Refusal);
        var copy = stored.Document.Render(version: long.MaxValue, publishedMs: 1_800_000_000_000);
        Assert.True(copy.Length > Limits.EntityBytesMax);
        var again = Read(new Item("logbook_entry", null, copy));
        Assert.Equal((ItemRefusal.None, stored.Fingerprint), (again.Refusal, again.Fingerprint));
        // The second spelling of a time that the server gave.
        Assert.InRange(again.Document.LengthMax, stored.Document.LengthMax, stored.Document.LengthMax + 64);
    }

    [Theory]
    [InlineData(0, ItemRefusal.None)]
    [InlineData(1, ItemRefusal.TooLarge)]
    public void A_document_with_what_is_added_is_at_most_260_KiB(int past, ItemRefusal why)
    {
        // Every id is stored under both spellings.
        string With(int more) => $$"""{"id":"a","goalIds":["{{new string('g', 100_000)}}"],"notes":"{{new string('x', more)}}"}""";
        var bare = Entry(With(0)).Document.LengthMax;
        Assert.Equal(why, Entry(With(Limits.StoredBytesMax - bare + past)).Refusal);
    }

    [Theory]
    [InlineData(64, ItemRefusal.None)]
    [InlineData(65, ItemRefusal.TooDeep)]
    [InlineData(50_000, ItemRefusal.TooDeep)]
    public void A_document_is_at_most_64_deep(int depth, ItemRefusal why)
    {
        var incoming = Entry($$"""{"x":{{new string('[', depth - 1)}}{{new string(']', depth - 1)}},"id":"a"}""");
        Assert.Equal(why, incoming.Refusal);
        Assert.Equal("a", incoming.Entity.Id);
    }

    [Theory]
    [InlineData(256, ItemRefusal.None)]
    [InlineData(257, ItemRefusal.Invalid)]
    public void An_id_is_at_most_256_units(int units, ItemRefusal why)
    {
        var id = new string('i', units);
        Assert.Equal(why, Entry($$"""{"id":"{{id}}"}""").Refusal);
        Assert.Equal(why, Read(new Item("goal", id, "{}"u8.ToArray())).Refusal);
    }

    [Theory]
    [InlineData("Goal")]
    [InlineData("")]
    [InlineData("goals!")]
    public void A_type_that_is_no_lower_snake_name_is_unknown(string type) =>
        Assert.Equal(ItemRefusal.UnknownType, Read(new Item(type, "a", "{}"u8.ToArray())).Refusal);

    [Fact]
    public void What_was_refused_before_stays_refused_and_keeps_its_name()
    {
        var incoming = Read(new Item("goal", null, """{"n":1,"id":"g1"}"""u8.ToArray(), Refused: ItemRefusal.TooLarge));
        Assert.Equal((ItemRefusal.TooLarge, new EntityKey("goal", "g1")), (incoming.Refusal, incoming.Entity));
    }

    [Theory]
    [InlineData("43258cff783fe7036d8a43033f830adfc60ec037382473548ac742b888292777", ItemRefusal.None)]
    [InlineData("43258CFF783FE7036D8A43033F830ADFC60EC037382473548AC742B888292777", ItemRefusal.None)]
    [InlineData("53258cff783fe7036d8a43033f830adfc60ec037382473548ac742b888292777", ItemRefusal.ChecksumMismatch)]
    [InlineData("some-other-scheme", ItemRefusal.None)]
    public void A_checksum_must_match_the_data_as_sent(string checksum, ItemRefusal why) =>
        Assert.Equal(why, Read(new Item("chess_game", "c", """{"b":2,"a":1}"""u8.ToArray(), Checksum: checksum)).Refusal);

    [Theory]
    [InlineData("logbook_entry", null, """{"id":"E-1"}""", "E-1")]
    [InlineData("logbook_entry", "outer", """{"id":7}""", "outer")]
    [InlineData("goal", "outer", """{"id":"inner"}""", "outer")]
    [InlineData("user_preferences", "x", """{"id":7}""", "user_1")]
    [InlineData("repertoire_item", null, """{"id":"r1","scoreId":" Clair De Lune - Debussy"}""", "clair de lune-debussy")]
    [InlineData("repertoire_item", null, """{"id":"r1","score_id":"A-B"}""", "a-b")]
    [InlineData("repertoire_item", null, """{"id":"A-B","scoreId":null}""", "a-b")]
    [InlineData("repertoire_item", "A-B", "{}", "a-b")]
    [InlineData("repertoire_item", "r1", """{"scoreId":"C-D"}""", "c-d")]
    [InlineData("repertoire_item", null, """{"scoreId":"SCORE_x1"}""", "SCORE_x1")]
    public void An_entity_is_named_by_its_types_rule_and_the_document_says_so(string type, string? id, string document, string expected)
    {
        var incoming = Read(new Item(type, id, Encoding.UTF8.GetBytes(document)));
        Assert.Equal(new EntityKey(type, expected), incoming.Entity);
        Assert.Equal(expected, Rendered(incoming)["id"]!.GetValue<string>());
    }

    // Regression 6: deleting with the client's own spelling of an id does nothing.
    [Fact]
    public void Deleting_with_the_clients_own_spelling_of_a_score_id_names_the_stored_item()
    {
        var incoming = Read(new Item("repertoire_item", " Clair de lune - Debussy ", default, Delete: true, EventMs: 5));
        Assert.Equal(("clair de lune-debussy", true, 5L), (incoming.Entity.Id, incoming.IsDelete, incoming.ClientMs));
        Assert.Equal(
            """{"id":"clair de lune-debussy","user_id":"user_1","version":3,"updatedAt":"1970-01-01T00:00:00.009Z","deletedAt":"1970-01-01T00:00:00.005Z"}""",
            Text(incoming, 3, 9));
    }

    // Regression 9: snake-case deleted_at is ignored.
    [Theory]
    [InlineData("""{"id":"a","deletedAt":"2025-01-01"}""", true)]
    [InlineData("""{"id":"a","deleted_at":1757400000000}""", true)]
    [InlineData("""{"id":"a","deletedAt":"","deleted_at":"1757400000000"}""", true)]
    [InlineData("""{"id":"a","deletedAt":1}""", true)]
    [InlineData("""{"id":"a","deletedAt":0}""", false)]
    [InlineData("""{"id":"a","deletedAt":-1}""", false)]
    [InlineData("""{"id":"a","deletedAt":"0"}""", false)]
    [InlineData("""{"id":"a","deletedAt":""}""", false)]
    [InlineData("""{"id":"a","deletedAt":"soon"}""", false)]
    [InlineData("""{"id":"a","deleted_at":true}""", false)]
    [InlineData("""{"id":"a","deletedAt":{}}""", false)]
    [InlineData("""{"id":"a","deletedAt":false}""", false)]
    [InlineData("""{"id":"a","deletedAt":null,"deleted_at":null}""", false)]
    [InlineData("""{"id":"a"}""", false)]
    public void Only_a_time_in_deletedAt_of_either_spelling_deletes(string document, bool deletes)
    {
        var incoming = Entry(document);
        Assert.Equal((deletes, deletes), (incoming.IsDelete, incoming.Fingerprint.IsNone));
    }

    [Theory]
    [InlineData("""{"id":"a","updatedAt":10,"createdAt":5}""", null, 10L, true)]
    [InlineData("""{"id":"a","updated_at":"1970-01-01T00:00:00.010Z"}""", null, 10L, true)]
    [InlineData("""{"id":"a","updatedAt":"soon","updated_at":10}""", null, 10L, true)]
    [InlineData("""{"id":"a","updatedAt":10}""", 20L, 10L, true)] // The document knows better than the frame.
    [InlineData("""{"id":"a","updatedAt":"soon","createdAt":5}""", 20L, 20L, true)]
    [InlineData("""{"id":"a","createdAt":5}""", null, 5L, false)]
    [InlineData("""{"id":"a","created_at":5}""", null, 5L, false)]
    [InlineData("""{"id":"a","timestamp":5}""", null, null, false)] // When the music was played is no clock.
    [InlineData("""{"id":"a","updatedAt":"+275760-09-13T00:00:00.000Z","createdAt":5}""", 8640000000000000L, 5L, false)] // Regression 17.
    [InlineData("""{"id":"a","deletedAt":30,"updatedAt":10}""", null, 30L, true)]
    [InlineData("""{"id":"a","deletedAt":true,"deleted_at":31,"updatedAt":10}""", null, 31L, true)]
    [InlineData("""{"id":"a","deletedAt":true,"updatedAt":10}""", null, 10L, true)]
    [InlineData("""{"id":"a","deletedAt":true}""", 20L, 20L, true)]
    [InlineData("""{"id":"a","deletedAt":true}""", null, null, false)]
    public void The_client_time_of_a_change_is_the_one_in_the_table(string document, long? eventMs, long? clientTime, bool isEditClock)
    {
        var incoming = Read(new Item("logbook_entry", null, Encoding.UTF8.GetBytes(document), EventMs: eventMs));
        Assert.Equal((clientTime, isEditClock), (incoming.ClientMs, incoming.HasEditClock));
    }

    [Theory]
    [InlineData("""{"id":"a","baseVersion":7,"x":1}""", null, 7L)]
    [InlineData("""{"baseVersion":7,"id":"a","x":1}""", null, 7L)]
    [InlineData("""{"id":"a","x":1,"baseVersion":7.0}""", null, 7L)]
    [InlineData("""{ "id" : "a" , "baseVersion" : 7 , "x" : 1 }""", 9L, 9L)]
    [InlineData("""{"id":"a","x":1,"baseVersion":7.5}""", null, null)]
    [InlineData("""{"x":1,"baseVersion":1e300,"id":"a"}""", null, null)]
    public void A_base_is_taken_from_the_item_and_not_stored(string document, long? beside, long? expected)
    {
        var incoming = Read(new Item("logbook_entry", null, Encoding.UTF8.GetBytes(document), BaseVersion: beside));
        Assert.Equal(expected, incoming.BaseVersion);
        Assert.False(Rendered(incoming).ContainsKey("baseVersion"));
        Assert.Equal(Entry("""{"id":"a","x":1}""").Fingerprint, incoming.Fingerprint);
    }

    [Fact]
    public void A_base_that_was_all_there_was_leaves_a_document_without_a_stray_comma() =>
        Assert.Equal(
            ["id", "user_id", "version", "updatedAt"],
            Rendered(Read(new Item("goal", "g", """{"baseVersion":1}"""u8.ToArray()))).Select(m => m.Key));
}
