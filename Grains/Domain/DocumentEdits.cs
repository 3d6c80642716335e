using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// Gathers the changes to one document, in pooled memory. Members are replaced where they stand; new ones go to the end.
/// </summary>
internal ref struct DocumentEdits(DocumentMembers members)
{
    private readonly DocumentMembers members = members;
    private Splice[] splices = ArrayPool<Splice>.Shared.Rent(16);
    private ContentEdit[] contents = [];
    private int count;
    private int contentCount;
    private int remaining = members.Total;

    /// <summary>The members of the document as sent.</summary>
    [UnscopedRef]
    public readonly ref readonly DocumentMembers Sent => ref members;

    [UnscopedRef]
    private readonly ref readonly JsonTree Tree => ref members.Tree;

    /// <summary>Gives a member a text. Encodes it only if the document says another.</summary>
    public void SetText(Member member, string text)
    {
        var at = members[member];
        if (at != 0 && Tree.IsText(at, text)) return;
        var json = JsonText.Encode(text);
        if (at != 0 && Tree.Outer(at).SequenceEqual(json)) return;
        Put(member, json, Slot.None);
        Note(new(member, json));
    }

    /// <summary>Gives a member the value of another, as sent.</summary>
    public void Copy(Member to, Member from)
    {
        Put(to, Tree.Outer(members[from]).ToArray(), Slot.None);
        Note(new(to, CopyOf: members[from]));
    }

    /// <summary>Gives a member what is known only later.</summary>
    public void Set(Member member, Slot slot) => Put(member, default, slot);

    /// <summary>Takes a member out, comma and all. Before anything is added: what is added looks whether it comes first.</summary>
    public void Remove(Member member)
    {
        var value = members[member];
        var name = value - 1;
        var (start, end) = (Tree[name].OuterStart, Tree[value].OuterEnd);
        if (name > 1) start = EndBefore(name);
        else if (Tree[value].Next < Tree[0].Next) end = Tree[Tree[value].Next].OuterStart;
        Add(new(start, end - start, default));
        remaining--;
        Note(new(member, default));
    }

    /// <summary>Gives an object inside the document an id. Ids of pieces are not content.</summary>
    public void SetPieceId(int piece, int idValue, byte[] id)
    {
        if (idValue != 0)
        {
            Add(new(Tree[idValue].OuterStart, Tree[idValue].OuterEnd - Tree[idValue].OuterStart, id));
            return;
        }

        var prefix = Tree[piece].Next == piece + 1 ? "\"id\":"u8 : ",\"id\":"u8;
        Add(new(Tree[piece].OuterEnd - 1, 0, (byte[])[.. prefix, .. id]));
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

    /// <summary>
    /// Makes the tree read as the normalized document would, as far as its fingerprint goes. What was found in the tree before is no longer
    /// where it was.
    /// </summary>
    public void ApplyContent(ref JsonTree to)
    {
        foreach (var edit in contents.AsSpan(0, contentCount))
        {
            var at = members[edit.Member] is > 0 and var value ? value : to.AddMember(Members.FindName(edit.Member));
            if (edit.CopyOf > 0) to.SetCopy(at, edit.CopyOf);
            else if (edit.Text is { } text) to.SetText(at, text.AsSpan(1..^1));
            else to.SetNull(at);
        }

        if (contentCount > 0) ArrayPool<ContentEdit>.Shared.Return(contents, clearArray: true);
        contents = [];
        contentCount = 0;
    }

    private void Note(ContentEdit edit)
    {
        if (Members.IsBookkeeping(edit.Member)) return;
        if (contentCount == 0) contents = ArrayPool<ContentEdit>.Shared.Rent(Members.Count);
        contents[contentCount++] = edit;
    }

    private void Put(Member member, ReadOnlyMemory<byte> value, Slot slot)
    {
        var at = members[member];
        if (at != 0)
        {
            Add(new(Tree[at].OuterStart, Tree[at].OuterEnd - Tree[at].OuterStart, value, slot));
            return;
        }

        var name = Members.FindPrefix(member, isFirst: remaining++ == 0);
        Add(new(Tree[0].OuterEnd - 1, 0, value.IsEmpty ? name : (byte[])[.. name, .. value.Span], slot));
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
        while (Tree[value + 1].Next < name) value = Tree[value + 1].Next;
        return Tree[value + 1].OuterEnd;
    }

    /// <summary>A member that counts in the fingerprint gets a text or a copy of another value, or goes.</summary>
    /// <param name="Text">Quotes included.</param>
    private readonly record struct ContentEdit(Member Member, byte[]? Text = null, int CopyOf = 0);
}
