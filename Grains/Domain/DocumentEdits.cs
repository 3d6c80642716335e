using System.Buffers;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// Gathers the changes to one document, in pooled memory. Members are replaced where they stand; new ones go to the end.
/// </summary>
internal ref struct DocumentEdits(JsonTree tree, DocumentMembers members)
{
    private readonly JsonTree tree = tree;
    private readonly DocumentMembers members = members;
    private Splice[] splices = ArrayPool<Splice>.Shared.Rent(16);
    private int count;
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

    /// <summary>Gives a member a text. Encodes it only if the document says another.</summary>
    public void SetText(Member member, string text)
    {
        var at = members[member];
        if (at == 0 || !tree.IsText(at, text)) Set(member, JsonText.Encode(text));
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
        Add(new(start, end - start, default));
        remaining--;
        ChangeContent = true;
    }

    /// <summary>Gives an object inside the document an id. Ids of pieces are not content.</summary>
    public void SetPieceId(int piece, int idValue, byte[] id)
    {
        if (idValue != 0)
        {
            Add(new(tree[idValue].OuterStart, tree[idValue].OuterEnd - tree[idValue].OuterStart, id));
            return;
        }

        var prefix = tree[piece].Next == piece + 1 ? "\"id\":"u8 : ",\"id\":"u8;
        Add(new(tree[piece].OuterEnd - 1, 0, (byte[])[.. prefix, .. id]));
    }

    /// <summary>By position, counted from <paramref name="origin"/>. Gives the pooled memory back: nothing can be added after.</summary>
    public Splice[] ToSplices(int origin)
    {
        var sorted = splices.AsSpan(0, count);
        Sort(sorted);
        if (origin > 0) foreach (ref var splice in sorted) splice = splice with { Start = splice.Start - origin };
        Splice[] all = [.. sorted];
        ArrayPool<Splice>.Shared.Return(splices, clearArray: true);
        splices = [];
        return all;
    }

    private void Put(Member member, ReadOnlyMemory<byte> value, Slot slot)
    {
        var at = members[member];
        if (at != 0)
        {
            Add(new(tree[at].OuterStart, tree[at].OuterEnd - tree[at].OuterStart, value, slot));
            return;
        }

        var name = Members.FindPrefix(member, isFirst: remaining++ == 0);
        Add(new(tree[0].OuterEnd - 1, 0, value.IsEmpty ? name : (byte[])[.. name, .. value.Span], slot));
    }

    private void Add(Splice splice)
    {
        if (count == splices.Length) Grow();
        splices[count++] = splice;
    }

    private void Grow()
    {
        var larger = ArrayPool<Splice>.Shared.Rent(splices.Length * 2);
        splices.CopyTo(larger, 0);
        ArrayPool<Splice>.Shared.Return(splices, clearArray: true);
        splices = larger;
    }

    /// <summary>
    /// Keeps the order of those at one position, which new members share. Nearly sorted as they are: only the few that stand in the
    /// document before a piece move past the pieces.
    /// </summary>
    private static void Sort(Span<Splice> splices)
    {
        for (var i = 1; i < splices.Length; i++)
        {
            var splice = splices[i];
            var to = i;
            for (; to > 0 && splices[to - 1].Start > splice.Start; to--) splices[to] = splices[to - 1];
            splices[to] = splice;
        }
    }

    /// <summary>The end of the value before a member's name: the last token that does not enclose it.</summary>
    private readonly int EndBefore(int name)
    {
        var value = 1;
        while (tree[value + 1].Next < name) value = tree[value + 1].Next;
        return tree[value + 1].OuterEnd;
    }
}
