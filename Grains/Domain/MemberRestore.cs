namespace Mirubato.Grains.Domain;

/// <summary>Writes some members of one document, named by JSON pointers, into another.</summary>
internal static class MemberRestore
{
    /// <summary>A member that <paramref name="from"/> lacks is taken out. Pointers lead through objects only.</summary>
    public static ReadOnlyMemory<byte> Write(ReadOnlyMemory<byte> into, ReadOnlyMemory<byte> from, IReadOnlyList<string> pointers)
    {
        var (target, source) = (new MergeValue(into), new MergeValue(from));
        foreach (var pointer in pointers)
        {
            target = Write(target, source, [.. pointer.Split('/').Skip(1).Select(Unescape)]);
        }

        return target.Raw;
    }

    private static MergeValue Write(MergeValue into, MergeValue from, ReadOnlySpan<string> names)
    {
        var edits = new MergeEdits(into, from);
        var name = names[0];
        var isInside = names.Length > 1 && into[name].IsObject && from[name].IsObject;
        edits.Set(name, isInside ? Write(into[name], from[name], names[1..]) : from[name]);
        return edits.ToValue();
    }

    private static string Unescape(string name) =>
        name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
