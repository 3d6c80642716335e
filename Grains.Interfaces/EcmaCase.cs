using System.Globalization;
using System.Text;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Text as ECMAScript's toLowerCase and trim leave it: clients compute the same ids. The framework maps one code point to one,
/// so the two rules of Unicode that do not are here.
/// </summary>
public static class EcmaCase
{
    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        return text.AsSpan().IndexOfAny('İ', 'Σ') < 0 ? lower : LowerSpecial(text, lower);
    }

    public static bool IsSpace(char c) => c == '\uFEFF' || (c != '\u0085' && char.IsWhiteSpace(c));

    public static string Trim(string text)
    {
        var (from, to) = (0, text.Length);
        while (from < to && IsSpace(text[from])) from++;
        while (to > from && IsSpace(text[to - 1])) to--;
        return text[from..to];
    }

    private static string LowerSpecial(string text, string lower)
    {
        var result = new StringBuilder(lower.Length + 4);
        for (var i = 0; i < lower.Length; i++)
        {
            if (text[i] == 'İ') result.Append("i\u0307");
            else if (text[i] == 'Σ') result.Append(EndsWord(text, i) ? 'ς' : 'σ');
            else result.Append(lower[i]);
        }

        return result.ToString();
    }

    /// <summary>Unicode's Final_Sigma: a cased letter before, none after, whatever marks stand between.</summary>
    private static bool EndsWord(string text, int at) => CasedBefore(text.AsSpan(0, at)) && !CasedAfter(text.AsSpan(at + 1));

    private static bool CasedBefore(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            Rune.DecodeLastFromUtf16(text, out var rune, out var used);
            if (!IsIgnorable(rune)) return IsCased(rune);
            text = text[..^used];
        }

        return false;
    }

    private static bool CasedAfter(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsIgnorable(rune)) return IsCased(rune);
        }

        return false;
    }

    private static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
            or UnicodeCategory.TitlecaseLetter
        || rune.Value is 0xAA or 0xBA or (>= 0x2160 and <= 0x217F) or (>= 0x24B6 and <= 0x24E9);

    private static bool IsIgnorable(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
            or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
        || rune.Value is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019 or 0x2024 or 0x2027
            or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A;
}
