using System.Buffers.Binary;

namespace Mirubato.Grains.Domain.Json;

/// <summary>
/// Sorts the members of an object by the UTF-16 units of their names; but names that are array indices come first, by number, because
/// an ECMAScript object keeps them so however they were put in. Stable, and n log n also for what an enemy sends.
/// </summary>
internal static class MemberOrder
{
    private const int InsertionMax = 24;
    private const long ArrayIndexMax = uint.MaxValue - 1L;
    private const int ArrayIndexDigitsMax = 10;

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

    public static bool AreEqual(in JsonTree tree, int left, int right) =>
        tree[left].Escaped || tree[right].Escaped
            ? CompareUnits(new(tree.Raw(left)), new(tree.Raw(right))) == 0
            : tree.Raw(left).SequenceEqual(tree.Raw(right));

    private static int Compare(in JsonTree tree, int left, int right)
    {
        var a = tree.Raw(left);
        var b = tree.Raw(right);
        var (one, other) = (ArrayIndex(a), ArrayIndex(b));
        if (one is not null || other is not null) return (one ?? long.MaxValue).CompareTo(other ?? long.MaxValue);
        return tree[left].Escaped || tree[right].Escaped ? CompareUnits(new(a), new(b)) : CompareUtf8(a, b);
    }

    private static long? ArrayIndex(ReadOnlySpan<byte> raw)
    {
        if (raw.IsEmpty || (raw[0] != '\\' && !char.IsAsciiDigit((char)raw[0]))) return null;
        var (index, digits) = (0L, 0);
        for (var units = new Utf16Units(raw); units.MoveNext(); digits++)
        {
            var startsWithZero = digits > 0 && index == 0;
            if (!char.IsAsciiDigit(units.Current) || startsWithZero || digits == ArrayIndexDigitsMax) return null;
            index = (index * 10) + (units.Current - '0');
        }

        return index <= ArrayIndexMax ? index : null;
    }

    private static void Insert(in JsonTree tree, Span<int> names)
    {
        Span<ulong> prefixes = stackalloc ulong[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            var (name, prefix) = (names[i], Prefix(tree, names[i]));
            var to = i;
            for (; to > 0 && IsBehind(tree, names[to - 1], prefixes[to - 1], name, prefix); to--)
            {
                (names[to], prefixes[to]) = (names[to - 1], prefixes[to - 1]);
            }

            (names[to], prefixes[to]) = (name, prefix);
        }
    }

    private static bool IsBehind(in JsonTree tree, int left, ulong leftPrefix, int right, ulong rightPrefix) =>
        leftPrefix == rightPrefix || leftPrefix == 0 || rightPrefix == 0 ? Compare(tree, left, right) > 0 : leftPrefix > rightPrefix;

    /// <summary>
    /// The first eight bytes as a number: names with different ones are in the order of these. 0 for a name whose bytes do not tell its
    /// place: an array index perhaps, or one with escapes or units that sort otherwise in UTF-8.
    /// </summary>
    private static ulong Prefix(in JsonTree tree, int name)
    {
        var raw = tree.Raw(name);
        if (raw.IsEmpty || tree[name].Escaped || char.IsAsciiDigit((char)raw[0])) return 0;
        var prefix = FirstBytes(raw);
        return (prefix & (prefix << 1) & (prefix << 2) & 0x80808080_80808080) == 0 ? prefix : 0;
    }

    private static ulong FirstBytes(ReadOnlySpan<byte> raw)
    {
        if (raw.Length >= sizeof(ulong)) return BinaryPrimitives.ReadUInt64BigEndian(raw);
        var first = 0UL;
        foreach (var one in raw) first = (first << 8) | one;
        return first << (8 * (sizeof(ulong) - raw.Length));
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
