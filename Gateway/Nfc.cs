using System.Collections.Frozen;
using System.Text;

namespace Mirubato.Gateway;

/// <summary>
/// Unicode's composed form, to compare names in: a Mac writes ř as r and a caron. <see cref="string.Normalize()"/> does nothing here,
/// because the server runs without ICU. <c>Nfc.txt</c> has the pairs of UnicodeData.txt as triples: base, mark, composed.
/// </summary>
internal static class Nfc
{
    private const char FirstMark = '\u0300';
    private static readonly FrozenDictionary<(char, char), char> Pairs = Load();

    public static string Compose(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange(FirstMark, char.MaxValue) < 0) return text;
        var composed = new StringBuilder(text.Length);
        foreach (var next in text)
        {
            if (composed.Length > 0 && Compose(composed[^1], next) is { } one) composed[^1] = one;
            else composed.Append(next);
        }

        return composed.ToString();
    }

    public static bool AreEqual(string? one, string? other) => one is null || other is null ? one == other : Compose(one) == Compose(other);

    private static char? Compose(char first, char second) => (first, second) switch
    {
        // Hangul is arithmetic: 19 leads, 21 vowels, 27 tails.
        ( >= '\u1100' and <= '\u1112', >= '\u1161' and <= '\u1175') =>
            (char)('\uac00' + ((((first - '\u1100') * 21) + second - '\u1161') * 28)),
        ( >= '\uac00' and <= '\ud7a3', > '\u11a7' and <= '\u11c2') when (first - '\uac00') % 28 == 0 => (char)(first + second - '\u11a7'),
        _ => Pairs.TryGetValue((first, second), out var one) ? one : null,
    };

    private static FrozenDictionary<(char, char), char> Load()
    {
        using var file = new StreamReader(typeof(Nfc).Assembly.GetManifestResourceStream("Nfc.txt")!);
        var pairs = file.ReadToEnd().Where(c => c != '\n').Chunk(3);
        return pairs.ToFrozenDictionary(pair => (pair[0], pair[1]), pair => pair[2]);
    }
}
