using System.Buffers;

namespace Mirubato.Gateway.Wire;

/// <summary>
/// The items whose results an answer lists: of refused ones the first <see cref="Limits.RefusalsListedMax"/>, and of all as many as fit
/// into <see cref="Limits.AnswerResultsBytesMax"/>. The rest is only counted.
/// </summary>
internal sealed class ListedItems
{
    /// <summary>What the names of members, numbers and times of one entry take at most.</summary>
    private const int EntryBytes = 180;

    private const int EscapedBytesMax = 6;

    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(unit => (char)unit).Except("\"\\")]);

    private readonly List<ItemResult> items = [];
    private int refused;
    private long bytes;

    private ListedItems() { }

    public IReadOnlyList<ItemResult> Items => items;

    /// <summary>Null, and so left out of the answer, when all are listed.</summary>
    public int? NotListed { get; private set; }

    public static ListedItems From(IEnumerable<ItemResult> results)
    {
        var listed = new ListedItems();
        foreach (var item in results)
        {
            if (!listed.TryAdd(item)) listed.NotListed = (listed.NotListed ?? 0) + 1;
        }

        return listed;
    }

    private bool TryAdd(ItemResult item)
    {
        if (item.Status is ItemStatus.Refused && refused == Limits.RefusalsListedMax) return false;
        var size = CountBytes(item);
        if (bytes + size > Limits.AnswerResultsBytesMax) return false;
        if (item.Status is ItemStatus.Refused) refused++;
        bytes += size;
        items.Add(item);
        return true;
    }

    /// <summary>
    /// Of its entry in <c>results</c> and, where it was beaten or refused, of that in <c>conflicts</c>; without documents.
    /// </summary>
    private static long CountBytes(ItemResult item)
    {
        var entry = EntryBytes + CountBytes(item.Entity.Type) + CountBytes(item.Entity.Id ?? "");
        return item.Status is ItemStatus.Conflict or ItemStatus.Refused ? (2 * entry) + ItemMessages.Why(item).Message.Length : entry;
    }

    private static int CountBytes(string text) =>
        text.AsSpan().ContainsAnyExcept(Plain) ? EscapedBytesMax * text.Length : text.Length;
}
