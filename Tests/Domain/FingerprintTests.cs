using System.Text;
using FsCheck;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Domain.Json;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Domain.Json;
using Mirubato.Tests.Support;
using static Mirubato.Tests.Domain.Items;

namespace Mirubato.Tests.Domain;

public sealed class FingerprintTests
{
    private const string Sent =
        """{"id":"a","type":"practice","goalIds":["g"],"pieces":[{"id":"t-c","title":"T","composer":"C"}],"n":[null,1]}""";

    [Theory]
    // Order and spelling,
    [InlineData("""{"n":[null,1.0],"pieces":[{"composer":"C","title":"T","id":"t-c"}],"goalIds":["g"],"type":"practice","id":"a"}""")]
    // the two paths of a client,
    [InlineData("""{"id":"b","type":"PRACTICE","goal_ids":["g"],"pieces":[{"title":"T","composer":"C"}],"n":[null,1]}""")]
    // nulls,
    [InlineData("""{"id":"a","type":"practice","goalIds":["g"],"goal_ids":null,"pieces":[{"id":"x-y","title":"T","composer":"C","note":null}],"n":[null,1],"mood":null}""")]
    // and bookkeeping.
    [InlineData("""{"id":"a","type":"practice","goalIds":["g"],"pieces":[{"id":"t-c","title":"T","composer":"C"}],"n":[null,1],"user_id":"u","device_id":"d","checksum":"c","version":9,"sync_version":8,"seq":7,"createdAt":1,"created_at":2,"updatedAt":3,"updated_at":4,"deletedAt":null,"deleted_at":null}""")]
    public void The_same_content_has_the_same_fingerprint(string other) => Assert.Equal(Entry(Sent).Fingerprint, Entry(other).Fingerprint);

    [Theory]
    [InlineData("""{"id":"a","type":"practice","goalIds":["g"],"pieces":[{"id":"t-c","title":"T","composer":"D"}],"n":[null,1]}""")]
    // Null elements stay.
    [InlineData("""{"id":"a","type":"practice","goalIds":["g"],"pieces":[{"id":"t-c","title":"T","composer":"C"}],"n":[1]}""")]
    [InlineData("""{"id":"a","type":"practice","goalIds":["h"],"pieces":[{"id":"t-c","title":"T","composer":"C"}],"n":[null,1]}""")]
    // Only at the top.
    [InlineData("""{"id":"a","type":"practice","goalIds":["g"],"pieces":[{"id":"t-c","title":"T","composer":"C"}],"n":[null,1],"sub":{"version":1}}""")]
    public void Other_content_has_another_fingerprint(string other) => Assert.NotEqual(Entry(Sent).Fingerprint, Entry(other).Fingerprint);

    [Fact]
    public void A_fingerprint_is_the_first_half_of_the_SHA256_of_the_canonical_form()
    {
        var hash = System.Security.Cryptography.SHA256.HashData("""{"a":1,"b":[null]}"""u8);
        Assert.Equal(
            Convert.ToHexStringLower(hash.AsSpan(0, 16)),
            Read("chess_game", """{"b":[null],"id":"x","c":null,"a":1}""").Fingerprint.Bits.ToString("x32"));
    }

    [Fact]
    public void Ids_of_pieces_count_where_they_are_not_made_up_by_clients() =>
        Assert.NotEqual(
            Read("chess_game", """{"id":"x","pieces":[{"id":"rook"}]}""").Fingerprint,
            Read("chess_game", """{"id":"x","pieces":[{"id":"queen"}]}""").Fingerprint);

    /// <summary>It is taken of what was sent, with the changes applied to the tree; here the stored bytes are read again.</summary>
    [SeededProperty(5_000)]
    public void The_fingerprint_of_what_is_sent_is_that_of_what_is_stored(DoNotSize<int> seed)
    {
        var random = new Random(seed.Item);
        var type = random.GetItems(["logbook_entry", "goal", "repertoire_item", "plan_occurrence", "chess_game"], 1)[0];
        var document = new RandomJson(seed.Item).Document(MemberNames);
        var item = Read(type, document);
        if (item.IsRefused || item.IsDelete) return;
        using var stored = JsonTree.Parse(item.Document.Render(version: 3, publishedMs: 4).Span, Limits.EntityDepthMax);
        var members = new DocumentMembers(stored, stackalloc int[Members.Count]);
        Assert.Equal(JsonProblem.None, ContentForm.Fingerprint(stored, members, item.Type!, out var fingerprint));
        Assert.True(fingerprint == item.Fingerprint, $"{type} {document}\n{Text(item)}");
    }

    private static readonly string[] MemberNames =
        [.. Enum.GetValues<Member>().Select(member => Encoding.UTF8.GetString(Members.FindName(member))).Where(name => name.Length > 0), "é", "7"];
}
