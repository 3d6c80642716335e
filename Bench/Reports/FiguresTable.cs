using Mirubato.Bench.Load;
using Spectre.Console;

namespace Mirubato.Bench.Reports;

/// <summary>The table at the end of a run.</summary>
internal static class FiguresTable
{
    private static readonly (string Header, Func<Figures, double?> Value)[] WhereMeasured =
    [
        ("deliveries/s", figures => figures.DeliveriesPerSecond),
        ("KiB each", figures => figures.KiBEach),
        ("server µs/req", figures => figures.ServerCpuUs),
        ("postgres µs/req", figures => figures.PostgresCpuUs),
    ];

    public static void Print(Report report) => Print(Screen.Out, report);

    public static void Print(IAnsiConsole console, Report report)
    {
        var more = WhereMeasured.Where(column => report.Scenarios.Exists(figures => column.Value(figures) is not null)).ToList();
        var table = Screen.Table(console,
            ["scenario", "req/s", "ms each", "p50 ms", "p99 ms", "max ms", "errors", "client", .. more.Select(column => column.Header)]);
        foreach (var figures in report.Scenarios)
            table.AddRow([.. Row(console, figures).Concat(more.Select(column => Maybe(column.Value(figures)))).Select(Markup.Escape)]);
        console.Write(table);
        console.WriteLine("client: cores the load generator itself took; the server had the rest.");
        if (report.Scenarios.Exists(figures => (figures.ServerCpuUs ?? figures.PostgresCpuUs) is not null))
            console.WriteLine("µs/req: CPU time for each request, of the server's process (--pid) and of PostgreSQL's (--postgres-pid).");
        console.WriteLine($"Machine: {report.Machine}");
        console.WriteLine($"Command: {report.Command}");
        foreach (var figures in report.Scenarios.Where(figures => figures.Note is not null))
            console.WriteLine($"{figures.Name}: {figures.Note}");
        foreach (var figures in report.Scenarios.Where(figures => figures.Errors > 0))
            console.WriteLine($"{figures.Name}: {NumberText.Whole(figures.Errors)} errors, the first: {figures.FirstError}");
    }

    private static string Maybe(double? value) => value is { } number ? NumberText.Short(number) : "";

    private static IEnumerable<string> Row(IAnsiConsole console, Figures figures) =>
    [
        Screen.IsNarrow(console) ? figures.Name : figures.What,
        NumberText.Short(figures.PerSecond),
        figures.OneAtATime ? NumberText.Short(figures.MeanMs) : "",
        NumberText.Short(figures.P50Ms),
        NumberText.Short(figures.P99Ms),
        NumberText.Short(figures.MaxMs),
        NumberText.Whole(figures.Errors),
        NumberText.Short(figures.ClientCores),
    ];
}
