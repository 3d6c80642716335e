using System.Globalization;
using System.Text;

namespace Mirubato.Tests.Domain.Json;

/// <summary>
/// Makes a random value, spells it as some client might (order, space and escapes at random), and says by the slowest plain means what its
/// canonical form is. Shares no code with what it tests.
/// </summary>
internal sealed class RandomJson(int seed)
{
    private static readonly string[] Texts =
        [
            "", "a", "B", "_", "é", "日本", "🎹", "\ud800", "\udc00x", "\uE000", "\uFFFD", "\u2028", "\0", "\u001f", "\u007f", "\"", "\\", "/",
            "\b\f\n\r\t", "10", "9", "0", "01", "4294967294", "4294967295", "id",
        ];

    private readonly Random random = new(seed);

    public object? Value(int depth) => random.Next(depth > 0 ? 8 : 6) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => (double)random.Next(-1000, 1_000_000),
        3 => Number(),
        4 or 5 => Text(),
        6 => Enumerable.Range(0, random.Next(4)).Select(_ => Value(depth - 1)).ToList(),
        _ => Object(depth),
    };

    public Dictionary<string, object?> Object(int depth)
    {
        var members = new Dictionary<string, object?>();
        var count = random.Next(12) == 0 ? 60 : random.Next(6);
        for (var i = 0; i < count; i++) members[Text() + (random.Next(3) == 0 ? Text() : "")] = Value(depth - 1);
        return members;
    }

    /// <summary>A document in some spelling. It has an id and some of these members, among them pieces, and texts in upper case.</summary>
    public string Document(string[] members)
    {
        var document = new Dictionary<string, object?> { ["id"] = "Id" };
        foreach (var name in members)
        {
            if (name != "id" && random.Next(3) == 0) document[name] = name == "pieces" ? Pieces() : random.Next(3) == 0 ? "Title - By" : Value(2);
        }

        return Spell(document);
    }

    private List<object?> Pieces() =>
        [.. Enumerable.Range(0, random.Next(3)).Select(_ => new Dictionary<string, object?> { ["title"] = Text(), ["id"] = Value(0) })];

    /// <summary>The value with one thing in it changed: another leaf, or a member or element more or less.</summary>
    public object? Change(object? value) => value switch
    {
        List<object?> { Count: > 0 } list when random.Next(3) > 0 => Change(list, random.Next(list.Count)),
        Dictionary<string, object?> { Count: > 0 } map when random.Next(3) > 0 => Change(map, map.Keys.ElementAt(random.Next(map.Count))),
        List<object?> list => new List<object?>(list) { Value(1) },
        Dictionary<string, object?> map => new Dictionary<string, object?>(map) { [string.Concat(map.Keys) + "more"] = Value(1) },
        double number => number == 1 ? 2d : 1d,
        string text => text + "x",
        bool flag => !flag,
        _ => "null",
    };

    private List<object?> Change(List<object?> list, int at)
    {
        var changed = new List<object?>(list);
        if (random.Next(3) == 0) changed.RemoveAt(at);
        else changed[at] = Change(list[at]);
        return changed;
    }

    private Dictionary<string, object?> Change(Dictionary<string, object?> map, string name)
    {
        var changed = new Dictionary<string, object?>(map);
        if (random.Next(3) == 0) changed.Remove(name);
        else changed[name] = Change(map[name]);
        return changed;
    }

    public string Spell(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        double d => SpellNumber(d),
        string s => SpellText(s),
        List<object?> list => $"[{Space()}{string.Join(Space() + "," + Space(), list.Select(Spell))}{Space()}]",
        Dictionary<string, object?> map =>
            "{" + Space() + string.Join(
                "," + Space(), map.OrderBy(_ => random.Next()).Select(m => SpellText(m.Key) + Space() + ":" + Spell(m.Value))) + "}",
        _ => throw new InvalidOperationException(),
    };

    public static string Canonical(object? value) => value switch
    {
        null => "null",
        bool b => b ? "true" : "false",
        double d => CanonicalNumber(d),
        string s => CanonicalText(s),
        List<object?> list => $"[{string.Join(",", list.Select(Canonical))}]",
        Dictionary<string, object?> map =>
            "{" + string.Join(",", Ordered(map).Select(m => CanonicalText(m.Key) + ":" + Canonical(m.Value))) + "}",
        _ => throw new InvalidOperationException(),
    };

    private static IEnumerable<KeyValuePair<string, object?>> Ordered(Dictionary<string, object?> map) =>
        map.OrderBy(m => ArrayIndex(m.Key)).ThenBy(m => m.Key, StringComparer.Ordinal);

    private static ulong ArrayIndex(string name) =>
        ulong.TryParse(name, CultureInfo.InvariantCulture, out var index) && index < uint.MaxValue && name == $"{index}"
            ? index
            : ulong.MaxValue;

    private static string CanonicalText(string text)
    {
        var result = new StringBuilder("\"");
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            var simple = "\"\\\b\f\n\r\t".IndexOf(c);
            if (simple >= 0) result.Append('\\').Append("\"\\bfnrt"[simple]);
            else if (i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1])) result.Append(c).Append(text[++i]);
            else if (c < ' ' || char.IsSurrogate(c)) result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else result.Append(c);
        }

        return result.Append('"').ToString();
    }

    /// <summary>The fewest digits that read back as the same double, laid out by section 6.1.6.1.20 of ECMA-262.</summary>
    public static string CanonicalNumber(double value)
    {
        if (value == 0) return "0";
        if (value < 0) return "-" + CanonicalNumber(-value);
        var text = Enumerable.Range(0, 18)
            .Select(p => value.ToString("E" + p, CultureInfo.InvariantCulture))
            .First(t => double.Parse(t, CultureInfo.InvariantCulture) == value);
        var s = text[..text.IndexOf('E')].Replace(".", "").TrimEnd('0');
        var (k, n) = (s.Length, int.Parse(text[(text.IndexOf('E') + 1)..], CultureInfo.InvariantCulture) + 1);
        if (k <= n && n <= 21) return s + new string('0', n - k);
        if (n is > 0 and <= 21) return s[..n] + "." + s[n..];
        if (n is > -6 and <= 0) return "0." + new string('0', -n) + s;
        var exponent = (n - 1 < 0 ? "e-" : "e+") + Math.Abs(n - 1);
        return (k == 1 ? s : s[..1] + "." + s[1..]) + exponent;
    }

    private string Text() => Texts[random.Next(Texts.Length)];

    private double Number()
    {
        while (true)
        {
            var value = random.Next(2) == 0
                ? BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue))
                : random.NextDouble() * Math.Pow(10, random.Next(-10, 25));
            if (double.IsFinite(value)) return value;
        }
    }

    private string SpellNumber(double value) =>
        value.ToString(random.Next(2) == 0 ? "R" : "E17", CultureInfo.InvariantCulture);

    private string SpellText(string text)
    {
        var result = new StringBuilder("\"");
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            var pair = i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1]);
            if (pair && random.Next(2) == 0) result.Append(c).Append(text[++i]);
            else if (c < ' ' || c is '"' or '\\' || char.IsSurrogate(c) || random.Next(5) == 0)
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else if (c == '/') result.Append("\\/");
            else result.Append(c);
        }

        return result.Append('"').ToString();
    }

    private string Space() => random.Next(4) == 0 ? " \n\t"[..random.Next(4)] : "";
}
