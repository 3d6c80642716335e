using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// A JSON value as merging sees it: an object with members, or one value that is compared in its canonical form without nulls. An absent
/// value and <c>null</c> are equal.
/// </summary>
/// <param name="raw">The value as stored, quotes included; empty when it is absent.</param>
/// <param name="items">A list of pieces, whose ids do not count.</param>
internal sealed class MergeValue(ReadOnlyMemory<byte> raw, bool items = false)
{
    public static readonly MergeValue Nothing = new(default);

    private static readonly CanonicalForm Plain = new(OmitNulls: true);
    private static readonly CanonicalForm Items = new(OmitNulls: true, RootIsItems: true);

    private byte[]? canonical;
    private Dictionary<string, MergeMember>? members;

    public ReadOnlyMemory<byte> Raw => raw;

    public bool IsAbsent => raw.IsEmpty;

    /// <summary>Absent or null.</summary>
    public bool IsNothing => raw.IsEmpty || raw.Span[0] == (byte)'n';

    public bool IsObject => !raw.IsEmpty && raw.Span[0] == (byte)'{';

    /// <summary>In the order in which they stand. None unless it is an object.</summary>
    public IReadOnlyCollection<MergeMember> Members => Parsed.Values;

    /// <summary>The member of that name; <see cref="Nothing"/> when there is none, or this is no object.</summary>
    public MergeValue this[string name] => Parsed.GetValueOrDefault(name)?.Value ?? Nothing;

    public bool SameAs(MergeValue other) =>
        ReferenceEquals(this, other)
        || (IsNothing || other.IsNothing ? IsNothing && other.IsNothing : Canonical.AsSpan().SequenceEqual(other.Canonical));

    public MergeValue AsItems() => new(raw, items: true);

    private byte[] Canonical => canonical ??= WriteCanonical();

    private Dictionary<string, MergeMember> Parsed => members ??= Parse();

    private byte[] WriteCanonical()
    {
        using var tree = JsonTree.Parse(raw.Span, Limits.EntityDepthMax);
        using var writer = new CanonicalWriter(tree, items ? Items : Plain);
        writer.Write();
        return writer.Written.ToArray();
    }

    private Dictionary<string, MergeMember> Parse()
    {
        var found = new Dictionary<string, MergeMember>();
        if (!IsObject) return found;
        using var tree = JsonTree.Parse(raw.Span, Limits.EntityDepthMax);
        for (var name = 1; name < tree[0].Next; name = tree[name + 1].Next)
        {
            var text = tree.Text(name);
            found[text] = new MergeMember(text, Slice(tree[name]), new MergeValue(Slice(tree[name + 1])));
        }

        return found;
    }

    private ReadOnlyMemory<byte> Slice(in JsonToken token) => raw[token.OuterStart..token.OuterEnd];
}

/// <param name="RawName">The name as it is written, quotes included.</param>
internal sealed record MergeMember(string Name, ReadOnlyMemory<byte> RawName, MergeValue Value);
