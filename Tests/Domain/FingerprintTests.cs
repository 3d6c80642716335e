using System.Text;
using Mirubato.Grains.Domain;
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

    [Theory]
    [InlineData("""{"a":1,"b":{"timestamp":1}}""", """{"requestId":"r","b":{"timestamp":1},"timestamp":5,"a":1.0}""", true)]
    [InlineData("""{"a":1,"b":{"timestamp":1}}""", """{"a":1,"b":{"timestamp":2}}""", false)] // Regression 23.
    [InlineData("""{"a":null}""", "{}", false)]
    [InlineData("""{"a":1,"a":2}""", """{"a":1,"a":2 }""", true)]
    [InlineData("""{"a":1,"a":2}""", """{"a":1,"a":3}""", false)]
    [InlineData("""{"a":1e999}""", """{"a":1e998}""", false)]
    [InlineData("""{"a":""", """{"a": """, false)]
    public void Two_requests_are_the_same_by_their_canonical_form(string one, string other, bool same) =>
        Assert.Equal(
            same,
            RequestHash.Compute(Encoding.UTF8.GetBytes(one)).AsSpan().SequenceEqual(RequestHash.Compute(Encoding.UTF8.GetBytes(other))));

    [Theory]
    [InlineData(72, true)]
    [InlineData(73, false)] // Deeper than a body may be: only its own bytes are equal to it.
    public void A_body_has_a_canonical_form_to_its_depth(int depth, bool hasForm)
    {
        var (open, close) = (new string('[', depth), new string(']', depth));
        Assert.Equal(
            hasForm,
            RequestHash.Compute(Encoding.UTF8.GetBytes(open + close))
                .AsSpan()
                .SequenceEqual(RequestHash.Compute(Encoding.UTF8.GetBytes(open + " " + close))));
    }
}
