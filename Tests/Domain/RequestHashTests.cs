using System.Text;
using FsCheck;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Domain.Json;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Domain;

public sealed class RequestHashTests
{
    [SeededProperty(3_000)]
    public void Two_spellings_of_a_body_have_one_hash(DoNotSize<int> seed)
    {
        var random = new RandomJson(seed.Item);
        var body = random.Value(depth: 4);
        Assert.Equal(Hash(random.Spell(body)), Hash(random.Spell(body)));
    }

    [SeededProperty(3_000)]
    public void A_change_anywhere_in_a_body_changes_its_hash(DoNotSize<int> seed)
    {
        var random = new RandomJson(seed.Item);
        var body = random.Value(depth: 4);
        var changed = random.Change(body);
        Assert.NotEqual(RandomJson.Canonical(body), RandomJson.Canonical(changed));
        Assert.NotEqual(Hash(random.Spell(body)), Hash(random.Spell(changed)));
    }

    [SeededProperty(3_000)]
    public void When_it_was_sent_and_the_request_s_id_do_not_count_at_the_top(DoNotSize<int> seed)
    {
        var random = new RandomJson(seed.Item);
        var body = random.Object(depth: 3);
        var again = new Dictionary<string, object?>(body) { ["timestamp"] = random.Value(depth: 2), ["requestId"] = random.Value(depth: 2) };
        Assert.Equal(Hash(random.Spell(body)), Hash(random.Spell(again)));
        Assert.NotEqual(Hash($"[{random.Spell(body)}]"), Hash($"[{random.Spell(again)}]"));
    }

    [Theory]
    [InlineData("""{"a":1,"b":{"timestamp":1}}""", """{"requestId":"r","b":{"timestamp":1},"timestamp":5,"a":1.0}""", true)]
    [InlineData("""{"a":1,"b":{"timestamp":1}}""", """{"a":1,"b":{"timestamp":2}}""", false)] // Regression 23.
    [InlineData("""{"a":1}""", """{"a":1,"time\u0073tamp":[{"timestamp":1}]}""", true)]
    [InlineData("""{"a":null}""", "{}", false)]
    [InlineData("""{"a":-0}""", """{"a":0.0}""", true)]
    [InlineData("""{"a":"1"}""", """{"a":1}""", false)]
    [InlineData("""{"a":"true"}""", """{"a":true}""", false)]
    // Equal under a hash that tells texts, numbers and literals apart by its seed.
    [InlineData("""{"a":false}""", """{"a":"{alsh"}""", false)]
    [InlineData("""{"a":"abcdefgh"}""", """{"a":2.404044906292526e+209}""", false)]
    [InlineData("""{"a":1e999}""", """{"a":"3e99;"}""", false)]
    [InlineData("""{"a":[]}""", """{"a":{}}""", false)]
    [InlineData("""{"a":[[1],2]}""", """{"a":[[1,2]]}""", false)]
    [InlineData("""{"a":[1,2]}""", """{"a":[2,1]}""", false)]
    [InlineData("""{"a":1,"b":2}""", """{"a":2,"b":1}""", false)]
    [InlineData("""{"a":{"b":1},"c":{}}""", """{"a":{},"c":{"b":1}}""", false)]
    [InlineData("""{"a":{"b":1,"c":2}}""", """{"a":{"b":1},"c":2}""", false)]
    [InlineData("""{"a":1,"a":2}""", """{"a":1,"a":2 }""", true)]
    [InlineData("""{"a":1,"a":2}""", """{"a":1,"a":3}""", false)]
    [InlineData("""{"a":1,"a":1}""", """{"a":1}""", false)]
    [InlineData("""{"a":1e999}""", """{"a":1e998}""", false)]
    [InlineData("""{"a":""", """{"a": """, false)]
    [InlineData("""{"a":1}x""", """{"a":1} x""", false)]
    [InlineData("", " ", false)]
    public void Two_requests_are_the_same_by_their_canonical_form(string one, string other, bool same) =>
        Assert.Equal(same, Hash(one) == Hash(other));

    [Fact]
    public void A_body_that_is_no_text_is_only_equal_to_its_own_bytes() =>
        Assert.NotEqual(Hash([.. "{\"a\":\""u8, 0xFF, .. "\"}"u8]), Hash([.. "{\"a\": \""u8, 0xFF, .. "\"}"u8]));

    [Theory]
    [InlineData(72, true)]
    [InlineData(73, false)] // Deeper than a body may be: only its own bytes are equal to it.
    public void A_body_has_a_canonical_form_to_its_depth(int depth, bool hasForm)
    {
        var (open, close) = (new string('[', depth), new string(']', depth));
        Assert.Equal(hasForm, Hash(open + close) == Hash(open + " " + close));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[[[[[[1]]]]]]")]
    [InlineData("\"\\u0061\"")]
    public void A_huge_body_takes_little_memory_whatever_it_is_made_of(string value)
    {
        var body = Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Repeat(value, Limits.BodyBytesMax / (value.Length + 1))) + "]");

        // The first time: what is rented from a pool counts as long as the pool does not have it.
        var before = GC.GetAllocatedBytesForCurrentThread();
        RequestHash.Compute(body);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024 * 1024);
    }

    [Theory]
    [InlineData(5_000)]
    [InlineData(Limits.PushItemsMax)]
    public void A_large_body_is_the_same_by_what_it_means(int items)
    {
        string Body(string envelope, Func<int, string> item) =>
            "{" + envelope + "\"changes\":{\"goals\":[" + string.Join(',', Enumerable.Range(0, items).Select(item)) + "]}}";
        var padding = new string('x', 100);
        var one = Hash(Body("\"timestamp\":1,", i => $"{{\"id\":\"g{i}\",\"title\":\"{padding}\"}}"));

        Assert.Equal(one, Hash(Body("\"requestId\":\"r\",", i => $"{{ \"title\" : \"{padding}\", \"id\":\"g{i}\"}}")));
        Assert.NotEqual(one, Hash(Body("", i => $"{{\"id\":\"g{i + 1}\",\"title\":\"{padding}\"}}")));
        Assert.NotEqual(one, Hash(Body("\"strict\":true,", i => $"{{\"id\":\"g{i}\",\"title\":\"{padding}\"}}")));
    }

    private static string Hash(string body) => Hash(Encoding.UTF8.GetBytes(body));

    private static string Hash(byte[] body) => Convert.ToHexString(RequestHash.Compute(body));
}
