using System.Security.Cryptography;
using System.Text;

namespace Mirubato.Grains.Domain.Json;

/// <summary>SHA-256 over the canonical form of JSON (PROTOCOL.md, Checksum).</summary>
internal static class CanonicalJson
{
    /// <summary>The hash goes to <paramref name="hash"/>, 32 bytes. Answers <see cref="JsonProblem.DuplicateKeys"/> or the tree's own problem.</summary>
    public static JsonProblem Hash(in JsonTree tree, CanonicalForm form, Span<byte> hash)
    {
        if (tree.Problem is JsonProblem.Malformed) return JsonProblem.Malformed;
        using var writer = new CanonicalWriter(tree, form);
        writer.Write();
        SHA256.HashData(writer.Written, hash);
        return ProblemOf(tree, writer);
    }

    public static JsonProblem Hash(ReadOnlySpan<byte> json, int depthMax, CanonicalForm form, Span<byte> hash)
    {
        using var tree = JsonTree.Parse(json, depthMax);
        return Hash(tree, form, hash);
    }

    /// <summary>The canonical text itself; null when there is a problem.</summary>
    public static string? Text(ReadOnlySpan<byte> json, int depthMax, CanonicalForm form)
    {
        using var tree = JsonTree.Parse(json, depthMax);
        if (tree.Problem is not JsonProblem.None) return null;
        using var writer = new CanonicalWriter(tree, form);
        writer.Write();
        return writer.HasDuplicates ? null : Encoding.UTF8.GetString(writer.Written);
    }

    private static JsonProblem ProblemOf(in JsonTree tree, in CanonicalWriter writer) =>
        tree.Problem is JsonProblem.None && writer.HasDuplicates ? JsonProblem.DuplicateKeys : tree.Problem;
}
