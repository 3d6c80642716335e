using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Domain;

public sealed class ScoreIdTests
{
    private static readonly string[] Parts =
        [
            "a", "B", "score_", "-", "--", "|", "||", " ", "  ", ".", "é", "İ", "Σ", "ΑΣ", "’", "“", "—", "\u00a0", "\ufeff", "\u0085",
            "7", "unknown", "\ud800",
        ];

    private static readonly JsonElement Vectors =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "score-id.json"))).RootElement;

    [Fact]
    public void Every_existing_id_of_the_vectors_is_normalized_as_clients_do()
    {
        foreach (var vector in Vectors.GetProperty("normalizeExisting").EnumerateArray())
        {
            Assert.Equal(vector.GetProperty("output").GetString(), ScoreIds.NormalizeExisting(vector.GetProperty("input").GetString()!));
        }
    }

    [Fact]
    public void Every_generated_id_of_the_vectors_is_what_clients_make()
    {
        foreach (var vector in Vectors.GetProperty("generate").EnumerateArray())
        {
            var made = ScoreIds.Generate(vector.GetProperty("title").GetString()!, vector.GetProperty("composer").GetString());
            Assert.Equal(vector.GetProperty("output").GetString(), made);
        }
    }

    // At this size each text has up to nine parts: shorter ones do not need the second pass.
    [SeededProperty(20_000, StartSize = 20, EndSize = 20, Arbitrary = [typeof(ScoreIdTests)])]
    public void An_id_that_comes_back_does_not_move_again(string[] one, string[] other)
    {
        var normal = ScoreIds.NormalizeExisting(string.Concat(one));
        Assert.Equal(normal, ScoreIds.NormalizeExisting(normal));
        var made = ScoreIds.Generate(string.Concat(one), string.Concat(other));
        Assert.Equal(made, ScoreIds.NormalizeExisting(made));
    }

    /// <summary>What the texts of random tests are put together from.</summary>
    public static Arbitrary<string> Part() => Gen.Elements(Parts).ToArbitrary();

    [Fact]
    public void An_id_that_the_fast_path_takes_for_normal_is_normal()
    {
        string[] parts = ["a", "b c", "-", " ", ".", "score_", "|", "A", "é", ""];
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var id = string.Concat(Enumerable.Range(0, random.Next(7)).Select(_ => parts[random.Next(parts.Length)]));
            if (ScoreIds.IsPlainlyNormal(Encoding.UTF8.GetBytes(id))) Assert.Equal(id, ScoreIds.NormalizeExisting(id));
        }

        Assert.True(ScoreIds.IsPlainlyNormal("clair de lune-debussy"u8));
    }

    [Theory]
    [InlineData("ΟΔΟΣ", "οδος")]
    [InlineData("ΟΔΟΣ.Α", "οδοσ.α")]
    [InlineData("Σ", "σ")]
    [InlineData("ΑΣ' Σ", "ας' σ")]
    [InlineData("İI", "i̇i")]
    [InlineData("𐐀", "𐐨")]
    public void Lower_case_is_ECMAScripts(string text, string lower) => Assert.Equal(lower, EcmaCase.Lower(text));
}
