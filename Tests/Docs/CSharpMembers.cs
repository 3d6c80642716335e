using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <param name="Name">The text before its parameters, cut short.</param>
/// <param name="Line">Where it begins.</param>
internal sealed record CSharpMethod(string Name, int Line, int Lines);

/// <summary>Methods and constructors of a file, found by braces alone. Takes text without comments and literals.</summary>
internal static partial class CSharpMembers
{
    public static IEnumerable<CSharpMethod> Methods(string bare) => Methods(bare, 0, bare.Length);

    /// <summary>How many parameters each constructor of a class takes; records list facts and are left out.</summary>
    public static IEnumerable<(string Class, int Parameters)> Constructors(string bare)
    {
        foreach (Match type in ClassName().Matches(bare))
        {
            var name = type.Groups["name"].Value;
            if (type.Groups["open"].Success) yield return (name, Parameters(bare, type.Groups["open"].Index));
            foreach (Match own in Regex.Matches(bare, $@"\b(?:public|internal|protected|private)\s+{name}\s*(?<open>\()"))
                yield return (name, Parameters(bare, own.Groups["open"].Index));
        }
    }

    private static IEnumerable<CSharpMethod> Methods(string bare, int from, int to)
    {
        while (from < to)
        {
            var (bodyAt, end) = Member(bare, from, to);
            var header = bare[from..Math.Min(bodyAt, end)];
            if (TypeWord().IsMatch(header) && bodyAt < end && bare[bodyAt] == '{')
            {
                foreach (var inner in Methods(bare, bodyAt + 1, end - 1)) yield return inner;
            }
            else if (header.Contains('('))
            {
                var start = from + header.Length - header.TrimStart().Length;
                yield return new CSharpMethod(
                    header.Trim().Split('(')[0], LineOf(bare, start), LineOf(bare, end - 1) - LineOf(bare, start) + 1);
            }

            from = end;
        }
    }

    /// <summary>Where the member's body or value begins, and where the member ends.</summary>
    private static (int BodyAt, int End) Member(string bare, int from, int to)
    {
        int depth = 0, bodyAt = to;
        for (var at = from; at < to; at++)
        {
            if (depth == 0 && bodyAt == to && (bare[at] is '{' || StartsValue(bare, at))) bodyAt = at;
            depth += bare[at] switch { '{' or '(' or '[' => 1, '}' or ')' or ']' => -1, _ => 0 };
            if (depth > 0) continue;
            if (bare[at] == ';') return (bodyAt, at + 1);
            if (bare[at] == '}' && bodyAt < to && bare[bodyAt] == '{' && !IsFollowedByValue(bare, at + 1, to)) return (bodyAt, at + 1);
        }

        return (bodyAt, to);
    }

    // An operator's own sign belongs to its name.
    private static bool StartsValue(string bare, int at) =>
        bare[at] == '=' && bare[at - 1] is not ('=' or '!' or '<' or '>') && (at + 1 == bare.Length || bare[at + 1] != '=');

    private static bool IsFollowedByValue(string bare, int at, int to)
    {
        while (at < to && char.IsWhiteSpace(bare[at])) at++;
        return at < to && bare[at] == '=';
    }

    private static int Parameters(string bare, int open)
    {
        int depth = 0, commas = 0, at = open;
        var any = false;
        do
        {
            depth += bare[at] switch { '(' or '[' or '<' or '{' => 1, ')' or ']' or '>' or '}' => -1, _ => 0 };
            if (bare[at] == ',' && depth == 1) commas++;
            any |= at > open && depth > 0 && !char.IsWhiteSpace(bare[at]);
            at++;
        }
        while (depth > 0 && at < bare.Length);
        return any ? commas + 1 : 0;
    }

    private static int LineOf(string text, int at) => text.AsSpan(0, at).Count('\n') + 1;

    [GeneratedRegex(@"\b(class|record|struct|interface|enum|namespace)\b")]
    private static partial Regex TypeWord();

    [GeneratedRegex(@"(?<!record\s)\bclass\s+(?<name>\w+)\s*(?:<[^>{(]*>)?\s*(?<open>\()?")]
    private static partial Regex ClassName();
}
