using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>The rows of the tables of a document, by the code in one of their cells.</summary>
internal static partial class MarkdownTable
{
    /// <summary>Rows whose cell <paramref name="cell"/> begins with a name in backticks, by that name.</summary>
    public static IReadOnlyDictionary<string, string[]> Rows(string section, int cell = 0)
    {
        var rows = new Dictionary<string, string[]>();
        foreach (var line in section.Split('\n').Where(line => line.StartsWith('|')))
        {
            var cells = line.Trim().Trim('|').Split(" | ").Select(text => text.Trim()).ToArray();
            if (cells.Length > cell && Name().Match(cells[cell]) is { Success: true } name) rows[name.Groups[1].Value] = cells;
        }

        return rows;
    }

    /// <summary>From a heading to the next of the same or a higher level.</summary>
    public static string Section(string document, string heading)
    {
        var text = "\n" + document;
        var start = text.IndexOf($"\n{heading}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"There is no heading '{heading}'.");
        var level = heading.TakeWhile(c => c == '#').Count();
        var end = Regex.Match(text[(start + heading.Length + 1)..], $@"\n#{{1,{level}}} ");
        return end.Success ? text.Substring(start, heading.Length + 1 + end.Index) : text[start..];
    }

    [GeneratedRegex(@"^`([^`]+)`")]
    private static partial Regex Name();
}
