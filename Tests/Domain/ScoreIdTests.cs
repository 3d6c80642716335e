using System.Text;
using System.Text.Json;
using Mirubato.Grains.Interfaces;
using Xunit.Abstractions;

namespace Mirubato.Tests.Domain;

public sealed class ScoreIdTests(ITestOutputHelper output)
{
    private static readonly string[] Parts =
        ["a", "B", "score_", "-", "--", "|", "||", " ", "  ", ".", "é", "İ", "Σ", "ΑΣ", "’", "“", "—", "\u00a0", "\ufeff", "\u0085", "7", "unknown", "\ud800"];

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

    [Fact]
    public void An_id_that_comes_back_does_not_move_again()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var (one, other) = (Text(random), Text(random));
            var normal = ScoreIds.NormalizeExisting(one);
            Assert.Equal(normal, ScoreIds.NormalizeExisting(normal));
            var made = ScoreIds.Generate(one, other);
            Assert.Equal(made, ScoreIds.NormalizeExisting(made));
        }
    }

    [Fact]
    public void What_is_taken_for_normal_at_a_glance_is_normal()
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

    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => Parts[random.Next(Parts.Length)]));
}
