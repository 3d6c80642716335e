namespace Mirubato.Grains.Domain.Json;

/// <summary>Sorts the members of an object by the UTF-16 units of their names. Stable, and n log n also for what an enemy sends.</summary>
internal static class MemberOrder
{
    private const int InsertionMax = 24;

    /// <param name="tree">The document the names are of.</param>
    /// <param name="names">Token indices of names.</param>
    /// <param name="scratch">At least half as long.</param>
    public static void Sort(in JsonTree tree, Span<int> names, Span<int> scratch)
    {
        if (names.Length <= InsertionMax)
        {
            Insert(tree, names);
            return;
        }

        var half = names.Length / 2;
        Sort(tree, names[..half], scratch);
        Sort(tree, names[half..], scratch);
        Merge(tree, names, half, scratch);
    }

    public static int Compare(in JsonTree tree, int left, int right) =>
        tree[left].Escaped || tree[right].Escaped
            ? CompareUnits(new(tree.Raw(left)), new(tree.Raw(right)))
            : CompareUtf8(tree.Raw(left), tree.Raw(right));

    private static void Insert(in JsonTree tree, Span<int> names)
    {
        for (var i = 1; i < names.Length; i++)
        {
            var name = names[i];
            var to = i;
            for (; to > 0 && Compare(tree, names[to - 1], name) > 0; to--) names[to] = names[to - 1];
            names[to] = name;
        }
    }

    private static void Merge(in JsonTree tree, Span<int> names, int half, Span<int> scratch)
    {
        var left = scratch[..half];
        names[..half].CopyTo(left);
        var (from, right, to) = (0, half, 0);
        while (from < half)
        {
            var takesRight = right < names.Length && Compare(tree, left[from], names[right]) > 0;
            names[to++] = takesRight ? names[right++] : left[from++];
        }
    }

    /// <summary>UTF-8 sorts as UTF-16 does, but for U+E000 to U+FFFF, which come after the surrogates of what lies beyond them.</summary>
    private static int CompareUtf8(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var same = left.CommonPrefixLength(right);
        if (same == left.Length || same == right.Length) return left.Length - right.Length;
        var (a, b) = (left[same], right[same]);
        return a >= 0xEE && b >= 0xEE && (a >= 0xF0) != (b >= 0xF0) ? b - a : a - b;
    }

    private static int CompareUnits(Utf16Units left, Utf16Units right)
    {
        while (true)
        {
            var (some, other) = (left.MoveNext(), right.MoveNext());
            if (!some || !other) return some.CompareTo(other);
            if (left.Current != right.Current) return left.Current - right.Current;
        }
    }
}
