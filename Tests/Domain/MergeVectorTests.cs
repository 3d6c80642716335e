using System.Text;
using System.Text.Json.Nodes;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>A client rebases what it has not sent yet as the server merges: the same pairs are in its own tests.</summary>
public sealed class MergeVectorTests
{
    [Fact]
    public void Documents_are_merged_as_clients_rebase_them()
    {
        var vectors = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Vectors", "merge.json")))!.AsArray();
        Assert.True(vectors.Count > 100);
        foreach (var vector in vectors)
        {
            var merged = Merge(EntityTypes.Find($"{vector!["type"]}")!, Value(vector, "base"), Value(vector, "stored"), Value(vector, "sent"));
            Assert.True(
                JsonNode.DeepEquals(vector["merged"], JsonNode.Parse(merged.Span)), $"{vector["name"]}: {Encoding.UTF8.GetString(merged.Span)}");
        }
    }

    /// <summary>The sender's edit is the later one, as an edit that was made after the one that it is rebased on.</summary>
    private static ReadOnlyMemory<byte> Merge(EntityType type, MergeValue basis, MergeValue stored, MergeValue sent)
    {
        MergeVersion[] versions =
            [
                new MergeVersion(1, basis.Raw, 0, new ChangeTime(0, 0, new DeviceId("a"))),
                new MergeVersion(2, stored.Raw, 10, new ChangeTime(10, 10, new DeviceId("b"))),
            ];
        return ThreeWayMerge.Merge(type, basis, versions, sent, new ChangeTime(20, 20, new DeviceId("c")), 100).Document;
    }

    private static MergeValue Value(JsonNode vector, string name) => new(Encoding.UTF8.GetBytes(vector[name]!.ToJsonString()));
}
