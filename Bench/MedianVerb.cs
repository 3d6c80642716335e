using System.CommandLine;
using Mirubato.Bench.Reports;

namespace Mirubato.Bench;

/// <summary><c>bench median a.json b.json c.json</c>: several runs as one.</summary>
internal static class MedianVerb
{
    private static readonly Argument<FileInfo[]> Runs = new("runs")
    {
        Description = "Figures of the same scenarios, as written by --json.",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<FileInfo?> Json = new("--json") { Description = "Also write the medians to this file." };

    public static Command Create()
    {
        var verb = new Command("median", "Print the median of each figure of several runs; their errors are added up.") { Runs, Json };
        verb.SetAction(parsed => CompareVerb.Try(() =>
        {
            var median = Medians.From([.. parsed.GetRequiredValue(Runs).Select(CompareVerb.Read)]);
            FiguresTable.Print(median);
            if (parsed.GetValue(Json) is { } file)
                median.Write(file);
        }));
        return verb;
    }
}
