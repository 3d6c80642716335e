using Mirubato.Bench.Load;
using Spectre.Console;

namespace Mirubato.Bench.Reports;

/// <summary>The table at the end of a run.</summary>
internal static class FiguresTable
{
    public static void Print(Report report) => Print(Screen.Out, report);

    public static void Print(IAnsiConsole console, Report report)
    {
        var table = Screen.Table(console, "scenario", "req/s", "ms each", "p50 ms", "p99 ms", "max ms", "errors", "client");
        foreach (var figures in report.Scenarios)
            table.AddRow([.. Row(console, figures).Select(Markup.Escape)]);
        console.Write(table);
        console.WriteLine("client: cores the load generator itself took; the server had the rest.");
        console.WriteLine($"Machine: {report.Machine}");
        console.WriteLine($"Command: {report.Command}");
        foreach (var figures in report.Scenarios.Where(figures => figures.Errors > 0))
            console.WriteLine($"{figures.Name}: {Numerals.Whole(figures.Errors)} errors, the first: {figures.FirstError}");
    }

    private static IEnumerable<string> Row(IAnsiConsole console, Figures figures) =>
    [
        Screen.IsNarrow(console) ? figures.Name : figures.What,
        Numerals.Short(figures.PerSecond),
        figures.OneAtATime ? Numerals.Short(figures.MeanMs) : "",
        Numerals.Short(figures.P50Ms),
        Numerals.Short(figures.P99Ms),
        Numerals.Short(figures.MaxMs),
        Numerals.Whole(figures.Errors),
        Numerals.Short(figures.ClientCores),
    ];
}
