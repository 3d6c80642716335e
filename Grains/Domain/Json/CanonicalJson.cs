namespace Mirubato.Grains.Domain.Json;

/// <summary>SHA-256 over the canonical form of JSON (docs/protocol.md, Checksum).</summary>
internal static class CanonicalJson
{
    /// <summary>
    /// The hash goes to <paramref name="hash"/>, 32 bytes. Answers <see cref="JsonProblem.DuplicateKeys"/> or the tree's own problem.
    /// </summary>
    public static JsonProblem Hash(in JsonTree tree, CanonicalForm form, Span<byte> hash)
    {
        if (tree.Problem is JsonProblem.Malformed) return JsonProblem.Malformed;
        using var writer = new CanonicalWriter(tree, form);
        writer.Write();
        Sha256.Hash(writer.Written, end: default, hash);
        return tree.Problem is JsonProblem.None && writer.HasDuplicates ? JsonProblem.DuplicateKeys : tree.Problem;
    }

    public static JsonProblem Hash(ReadOnlySpan<byte> json, int depthMax, CanonicalForm form, Span<byte> hash)
    {
        using var tree = JsonTree.Parse(json, depthMax);
        return Hash(tree, form, hash);
    }
}
