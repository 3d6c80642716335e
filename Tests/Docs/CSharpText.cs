using System.Text;

namespace Mirubato.Tests.Docs;

/// <summary>
/// C# with comments and literals blanked out, line breaks kept: what is left can be read with braces and regular expressions.
/// No compiler is needed, and none of the packages that hold one.
/// </summary>
internal static class CSharpText
{
    public static string Bare(string code)
    {
        var bare = new StringBuilder(code.Length);
        var at = 0;
        while (at < code.Length)
        {
            var end = EndOfBlank(code, at);
            if (end == at)
            {
                bare.Append(code[at++]);
                continue;
            }

            for (; at < end; at++) bare.Append(code[at] is '\n' ? '\n' : ' ');
        }

        return bare.ToString();
    }

    /// <summary>The end of the comment or literal that begins here; <paramref name="at"/> itself when none does.</summary>
    private static int EndOfBlank(string code, int at) => code[at] switch
    {
        '/' when Starts(code, at, "//") => EndOf(code, at, "\n", 0),
        '/' when Starts(code, at, "/*") => EndOf(code, at + 2, "*/", 2),
        '#' when IsDirective(code, at) => EndOf(code, at, "\n", 0),
        '\'' => EndOfQuoted(code, at + 1, '\''),
        '"' or '$' or '@' => EndOfString(code, at),
        _ => at,
    };

    private static int EndOfString(string code, int at)
    {
        var quote = at;
        while (quote < code.Length && code[quote] is '$' or '@') quote++;
        if (quote >= code.Length || code[quote] != '"') return at;
        var quotes = 0;
        while (quote + quotes < code.Length && code[quote + quotes] == '"') quotes++;
        if (quotes >= 3) return EndOf(code, quote + quotes, new string('"', quotes), quotes);
        var prefix = code[at..quote];
        return prefix.Contains('@') ? EndOfVerbatim(code, quote + 1)
            : prefix.Contains('$') ? EndOfInterpolated(code, quote + 1)
            : EndOfQuoted(code, quote + 1, '"');
    }

    private static int EndOfQuoted(string code, int at, char quote)
    {
        while (at < code.Length && code[at] != quote) at += code[at] == '\\' ? 2 : 1;
        return Math.Min(at + 1, code.Length);
    }

    private static int EndOfVerbatim(string code, int at)
    {
        while (at < code.Length && (code[at] != '"' || Starts(code, at, "\"\""))) at += code[at] == '"' ? 2 : 1;
        return Math.Min(at + 1, code.Length);
    }

    // A hole may hold strings of its own, so its braces are followed until they close.
    private static int EndOfInterpolated(string code, int at)
    {
        while (at < code.Length && code[at] != '"')
        {
            if (code[at] == '\\' || Starts(code, at, "{{") || Starts(code, at, "}}")) at += 2;
            else if (code[at] == '{') at = EndOfHole(code, at + 1);
            else at++;
        }

        return Math.Min(at + 1, code.Length);
    }

    private static int EndOfHole(string code, int at)
    {
        for (var depth = 1; at < code.Length && depth > 0;)
        {
            var end = EndOfBlank(code, at);
            if (end > at)
            {
                at = end;
                continue;
            }

            depth += code[at] switch { '{' => 1, '}' => -1, _ => 0 };
            at++;
        }

        return at;
    }

    private static bool IsDirective(string code, int at)
    {
        var line = code.LastIndexOf('\n', Math.Max(0, at - 1)) + 1;
        return string.IsNullOrWhiteSpace(code[line..at]);
    }

    private static bool Starts(string code, int at, string text) => string.CompareOrdinal(code, at, text, 0, text.Length) == 0;

    private static int EndOf(string code, int from, string text, int width) =>
        code.IndexOf(text, Math.Min(from, code.Length), StringComparison.Ordinal) is var found and >= 0 ? found + width : code.Length;
}
