using Mirubato.Bench.Load;
using Spectre.Console;

namespace Mirubato.Bench.Reports;

/// <summary>The table at the end of a run.</summary>
internal static class FiguresTable
{
    public static void Print(Report report) => Print(Screen.Out, report);

    public static void Print(IAnsiConsole console, Report report)
    {
        var delivers = report.Scenarios.Exists(figures => figures.DeliveriesPerSecond is not null);
        var weighs = report.Scenarios.Exists(figures => figures.KiBEach is not null);
        string[] more = [.. delivers ? ["deliveries/s"] : Array.Empty<string>(), .. weighs ? ["KiB each"] : Array.Empty<string>()];
        var table = Screen.Table(console, ["scenario", "req/s", "ms each", "p50 ms", "p99 ms", "max ms", "errors", "client", .. more]);
        foreach (var figures in report.Scenarios)
        {
            IEnumerable<string> last = [.. delivers ? [Maybe(figures.DeliveriesPerSecond)] : Array.Empty<string>(), .. weighs ? [Maybe(figures.KiBEach)] : Array.Empty<string>()];
            table.AddRow([.. Row(console, figures).Concat(last).Select(Markup.Escape)]);
        }
        console.Write(table);
        console.WriteLine("client: cores the load generator itself took; the server had the rest.");
        console.WriteLine($"Machine: {report.Machine}");
        console.WriteLine($"Command: {report.Command}");
        foreach (var figures in report.Scenarios.Where(figures => figures.Note is not null))
            console.WriteLine($"{figures.Name}: {figures.Note}");
        foreach (var figures in report.Scenarios.Where(figures => figures.Errors > 0))
            console.WriteLine($"{figures.Name}: {Numerals.Whole(figures.Errors)} errors, the first: {figures.FirstError}");
    }

    private static string Maybe(double? value) => value is { } number ? Numerals.Short(number) : "";

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
