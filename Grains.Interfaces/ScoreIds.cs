using System.Buffers;
using System.Text;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// The ids of scores: <c>title-composer</c> in lower case, or <c>title||composer</c> where a part has a dash itself, or a
/// <c>score_…</c> id given elsewhere. Clients compute the same; Tests/Vectors/score-id.json binds both.
/// </summary>
public static class ScoreIds
{
    private const string Delimiter = "||";
    private const string Unknown = "unknown";

    /// <summary>One pass settles all but contrived ids, whose parts begin or end with a bar.</summary>
    private const int PassesMax = 4;

    private static readonly SearchValues<byte> Plain = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789 .,'()&-_#/:;!?+"u8);

    /// <summary>Stable: an id that comes back from a client does not move again.</summary>
    public static string NormalizeExisting(string id)
    {
        var text = EcmaCase.Trim(id);
        for (var pass = 0; pass < PassesMax; pass++)
        {
            if (text.Length == 0 || IsGiven(text)) return text;
            var next = Rejoin(EcmaCase.Trim(EcmaCase.Lower(text)));
            if (next == text) break;
            text = next;
        }

        return text;
    }

    /// <summary>The id of a piece that has none.</summary>
    public static string Generate(string title, string? composer)
    {
        var name = Collapse(EcmaCase.Lower(title)).Replace('“', '"').Replace('”', '"').Replace('–', '-').Replace('—', '-');
        var author = Collapse(EcmaCase.Lower(composer ?? "")).Replace(".", "", StringComparison.Ordinal);
        return NormalizeExisting(Join(name, author));
    }

    /// <summary>Recognizes most ids that are normal already, without decoding them: the usual case by far.</summary>
    public static bool IsPlainlyNormal(ReadOnlySpan<byte> id)
    {
        if (id.IndexOfAnyExcept(Plain) >= 0) return false;
        var dash = id.IndexOf((byte)'-');
        return dash > 0 && dash < id.Length - 1
            && id[(dash + 1)..].IndexOf((byte)'-') < 0
            && id[0] != ' ' && id[^1] != ' ' && id[dash - 1] != ' ' && id[dash + 1] != ' ';
    }

    private static bool IsGiven(string text) =>
        text.Length > 6
        && text.StartsWith("score_", StringComparison.OrdinalIgnoreCase)
        && text.AsSpan(6).IndexOfAnyExcept(GivenIdChars) < 0;

    private static readonly SearchValues<char> GivenIdChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    private static string Rejoin(string id)
    {
        var bars = id.IndexOf(Delimiter, StringComparison.Ordinal);
        var (at, width) = bars >= 0 ? (bars, 2) : (id.IndexOf('-', StringComparison.Ordinal), 1);
        return at < 0 ? Join(id, "") : Join(EcmaCase.Trim(id[..at]), EcmaCase.Trim(id[(at + width)..]));
    }

    private static string Join(string title, string composer)
    {
        var author = composer.Length == 0 ? Unknown : composer;
        return title + (NeedsBars(title) || NeedsBars(author) ? Delimiter : "-") + author;
    }

    private static bool NeedsBars(string part) =>
        part.Contains('-', StringComparison.Ordinal) || part.Contains(Delimiter, StringComparison.Ordinal);

    private static string Collapse(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var c in EcmaCase.Trim(text))
        {
            if (!EcmaCase.IsSpace(c)) result.Append(c is '‘' or '’' ? '\'' : c);
            else if (result[^1] != ' ') result.Append(' ');
        }

        return result.ToString();
    }
}
