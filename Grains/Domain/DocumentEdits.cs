using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>Gathers the changes to one document. Members are replaced where they stand; new ones go to the end.</summary>
internal ref struct DocumentEdits(JsonTree tree, DocumentMembers members)
{
    private readonly JsonTree tree = tree;
    private readonly DocumentMembers members = members;
    private readonly List<Splice> replacements = [];
    private readonly List<Splice> additions = [];
    private int remaining = members.Total;

    /// <summary>The fingerprint of the document as sent is not that of the normalized one.</summary>
    public bool ChangeContent { get; private set; }

    public void Set(Member member, ReadOnlyMemory<byte> value)
    {
        var at = members[member];
        if (at != 0 && tree.Outer(at).SequenceEqual(value.Span)) return;
        Put(member, value, Slot.None);
        ChangeContent |= !Members.IsBookkeeping(member);
    }

    /// <summary>Gives a member what is known only later.</summary>
    public void Set(Member member, Slot slot) => Put(member, default, slot);

    /// <summary>Takes a member out, comma and all. Before anything is added: what is added looks whether it comes first.</summary>
    public void Remove(Member member)
    {
        var value = members[member];
        var name = value - 1;
        var (start, end) = (tree[name].OuterStart, tree[value].OuterEnd);
        if (name > 1) start = EndBefore(name);
        else if (tree[value].Next < tree[0].Next) end = tree[tree[value].Next].OuterStart;
        replacements.Add(new(start, end - start, default));
        remaining--;
        ChangeContent = true;
    }

    /// <summary>Gives an object inside the document an id. Ids of pieces are not content.</summary>
    public readonly void SetPieceId(int piece, int idValue, byte[] id)
    {
        if (idValue != 0)
        {
            replacements.Add(new(tree[idValue].OuterStart, tree[idValue].OuterEnd - tree[idValue].OuterStart, id));
            return;
        }

        var prefix = tree[piece].Next == piece + 1 ? "\"id\":"u8 : ",\"id\":"u8;
        replacements.Add(new(tree[piece].OuterEnd - 1, 0, (byte[])[.. prefix, .. id]));
    }

    /// <summary>By position, counted from <paramref name="origin"/>.</summary>
    public readonly Splice[] ToSplices(int origin)
    {
        replacements.Sort((a, b) => a.Start.CompareTo(b.Start));
        Splice[] all = [.. replacements, .. additions];
        if (origin > 0) for (var i = 0; i < all.Length; i++) all[i] = all[i] with { Start = all[i].Start - origin };
        return all;
    }

    private void Put(Member member, ReadOnlyMemory<byte> value, Slot slot)
    {
        var at = members[member];
        if (at != 0)
        {
            replacements.Add(new(tree[at].OuterStart, tree[at].OuterEnd - tree[at].OuterStart, value, slot));
            return;
        }

        var comma = remaining++ > 0 ? ","u8 : default;
        additions.Add(
            new(tree[0].OuterEnd - 1, 0, (byte[])[.. comma, .. "\""u8, .. Members.FindName(member), .. "\":"u8, .. value.Span], slot));
    }

    /// <summary>The end of the value before a member's name: the last token that does not enclose it.</summary>
    private readonly int EndBefore(int name)
    {
        var value = 1;
        while (tree[value + 1].Next < name) value = tree[value + 1].Next;
        return tree[value + 1].OuterEnd;
    }
}
