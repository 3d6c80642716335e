using System.Text;
using System.Text.Json;
using FsCheck;
using Mirubato.Grains.Domain.Json;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Domain.Json;

public sealed class CanonicalJsonTests
{
    [Fact]
    public void Every_vector_has_its_checksum()
    {
        var vectors = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "checksum.json"))).RootElement;
        foreach (var vector in vectors.EnumerateArray())
        {
            var json = vector.GetProperty("json").GetString()!;
            Assert.True(vector.GetProperty("sha256").GetString() == Checksum(json), json);
        }
    }

    [SeededProperty(3_000)]
    public void Any_spelling_of_a_value_has_the_canonical_form_that_plain_code_gives_it(DoNotSize<int> seed)
    {
        var random = new RandomJson(seed.Item);
        var value = random.Value(depth: 4);
        Assert.Equal(RandomJson.Canonical(value), Canonical(random.Spell(value)));
    }

    [Theory]
    [InlineData("-0", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("1.0", "1")]
    [InlineData("1E3", "1000")]
    [InlineData("1e21", "1e+21")]
    [InlineData("123456789012345678901", "123456789012345680000")]
    [InlineData("0.000001", "0.000001")]
    [InlineData("0.0000001", "1e-7")]
    [InlineData("5e-324", "5e-324")]
    [InlineData("1e-400", "0")]
    [InlineData("1.7976931348623157e308", "1.7976931348623157e+308")]
    [InlineData("9007199254740993", "9007199254740992")]
    public void A_number_is_written_as_ECMAScript_writes_it(string sent, string canonical) => Assert.Equal(canonical, Canonical(sent));

    [Theory]
    [InlineData("""["\ud800"]""", """["\ud800"]""")]
    [InlineData("""["\uD800\uD800\uDC00"]""", "[\"\\ud800\U00010000\"]")]
    [InlineData("""["\uDC00\uD800"]""", """["\udc00\ud800"]""")]
    [InlineData("""{"\uD834\uDD1E":1,"\uE000":2,"z":3}""", "{\"z\":3,\"\U0001D11E\":1,\"\uE000\":2}")]
    public void Surrogates_are_escaped_when_lone_and_sort_as_units(string sent, string canonical) =>
        Assert.Equal(canonical, Canonical(sent));

    [Theory]
    [InlineData("""{"é":0,"10":1,"9":2,"01":3,"":4,"0":5}""", """{"0":5,"9":2,"10":1,"":4,"01":3,"é":0}""")]
    [InlineData("""{"4294967295":1,"4294967294":2,"a":3,"\u0031":4}""", """{"1":4,"4294967294":2,"4294967295":1,"a":3}""")]
    public void Names_that_are_array_indices_come_first_as_in_an_ECMAScript_object(string sent, string canonical) =>
        Assert.Equal(canonical, Canonical(sent));

    [Fact]
    public void Raw_names_beyond_the_basic_plane_sort_before_the_private_use_area() =>
        Assert.Equal("{\"𝄞\":1,\"\uE000\":2,\"\uFF5E\":3}", Canonical("{\"\uFF5E\":3,\"\uE000\":2,\"𝄞\":1}"));

    [Theory]
    [InlineData("""{"a":1,"a":1}""", JsonProblem.DuplicateKeys)]
    [InlineData("""{"a":1,"\u0061":2}""", JsonProblem.DuplicateKeys)]
    [InlineData("""[{"b":{"é":1,"é":2}}]""", JsonProblem.DuplicateKeys)]
    [InlineData("""{"a":1e999}""", JsonProblem.NumberOutOfRange)]
    [InlineData("""{"a":-1e999}""", JsonProblem.NumberOutOfRange)]
    [InlineData("""{"a":1""", JsonProblem.Malformed)]
    [InlineData("""{"a":1}x""", JsonProblem.Malformed)]
    [InlineData("""{"a":01}""", JsonProblem.Malformed)]
    [InlineData("", JsonProblem.Malformed)]
    [InlineData("{\"a\":\"line\nbreak\"}", JsonProblem.Malformed)]
    public void A_document_without_a_checksum_names_the_reason(string json, object problem) =>
        Assert.Equal((JsonProblem)problem, Problem(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void An_integer_of_310_digits_is_out_of_range() =>
        Assert.Equal(JsonProblem.NumberOutOfRange, Problem(Encoding.UTF8.GetBytes(new string('9', 310))));

    [Fact]
    public void Bytes_that_are_no_UTF8_are_malformed() => Assert.Equal(JsonProblem.Malformed, Problem([(byte)'"', 0xC3, 0x28, (byte)'"']));

    [Theory]
    [InlineData(64, JsonProblem.None)]
    [InlineData(65, JsonProblem.TooDeep)]
    [InlineData(100_000, JsonProblem.TooDeep)]
    public void Depth_is_bounded(int depth, object problem) =>
        Assert.Equal((JsonProblem)problem, Problem(Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth))));

    [Fact]
    public void Thirty_thousand_names_in_the_worst_order_are_sorted()
    {
        var names = Enumerable.Range(0, 30_000).Reverse().Select(i => $"\"\\u0061{i:d6}\":{i}");
        var json = "{" + string.Join(",", names) + "}";
        Assert.Equal(JsonProblem.None, Problem(Encoding.UTF8.GetBytes(json)));
    }

    private static string Checksum(string json)
    {
        var hash = new byte[32];
        Assert.Equal(JsonProblem.None, CanonicalJson.Hash(Encoding.UTF8.GetBytes(json), Limits.EntityDepthMax, CanonicalForm.Whole, hash));
        return Convert.ToHexStringLower(hash);
    }

    private static string? Canonical(string json)
    {
        using var tree = JsonTree.Parse(Encoding.UTF8.GetBytes(json), Limits.EntityDepthMax);
        if (tree.Problem is not JsonProblem.None) return null;
        using var writer = new CanonicalWriter(tree, CanonicalForm.Whole);
        writer.Write();
        return writer.HasDuplicates ? null : Encoding.UTF8.GetString(writer.Written);
    }

    private static JsonProblem Problem(byte[] json) => CanonicalJson.Hash(json, Limits.EntityDepthMax, CanonicalForm.Whole, new byte[32]);
}
