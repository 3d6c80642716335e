using Mirubato.Bench.Load;
using Spectre.Console;

namespace Mirubato.Bench.Reports;

/// <summary>Two runs side by side: a, b and b/a. More requests, fewer milliseconds and less CPU time are better.</summary>
internal static class Comparison
{
    private static readonly (string Header, Func<Figures, double?> Value)[] Always =
    [
        ("req/s", figures => figures.PerSecond),
        ("p50", figures => figures.P50Ms),
        ("p99", figures => figures.P99Ms),
    ];
    private static readonly (string Header, Func<Figures, double?> Value)[] WhereMeasured =
    [
        ("server µs/req", figures => figures.ServerCpuUs),
        ("postgres µs/req", figures => figures.PostgresCpuUs),
    ];

    public static void Print(IAnsiConsole console, Report a, Report b)
    {
        var all = a.Scenarios.Concat(b.Scenarios).ToList();
        var columns = Always.Concat(WhereMeasured.Where(column => all.Exists(figures => column.Value(figures) is not null))).ToList();
        var table = Screen.Table(console,
            ["scenario", .. columns.SelectMany(column => (string[])[$"{column.Header} a", $"{column.Header} b", "b/a"]), "errors"]);
        foreach (var name in all.Select(figures => figures.Name).Distinct())
        {
            var (first, second) = (Named(a, name), Named(b, name));
            var triples = columns.SelectMany(
                column => Triple(first is null ? null : column.Value(first), second is null ? null : column.Value(second)));
            table.AddRow([.. triples.Prepend(name).Append($"{Errors(first)}/{Errors(second)}").Select(Markup.Escape)]);
        }
        console.Write(table);
        foreach (var (name, kibA, kibB) in Weights(a, b))
            console.WriteLine($"{name}: {NumberText.Short(kibA)} and {NumberText.Short(kibB)} KiB each, {NumberText.Ratio(kibA, kibB)}");
        console.WriteLine("p50 and p99 in milliseconds; µs/req is CPU time.");
        Describe(console, "a", a);
        Describe(console, "b", b);
    }

    private static IEnumerable<(string Name, double A, double B)> Weights(Report a, Report b) =>
        from figures in a.Scenarios
        where figures.KiBEach is not null && Named(b, figures.Name)?.KiBEach is not null
        select (figures.Name, figures.KiBEach!.Value, Named(b, figures.Name)!.KiBEach!.Value);

    private static IEnumerable<string> Triple(double? a, double? b) =>
    [
        a is null ? "-" : NumberText.Short(a.Value),
        b is null ? "-" : NumberText.Short(b.Value),
        a is null || b is null ? "-" : NumberText.Ratio(a.Value, b.Value),
    ];

    private static string Errors(Figures? figures) => figures is null ? "-" : NumberText.Whole(figures.Errors);

    private static Figures? Named(Report report, string name) =>
        report.Scenarios.FirstOrDefault(figures => figures.Name == name);

    private static void Describe(IAnsiConsole console, string which, Report report) =>
        console.WriteLine($"{which}: {report.StartedAt:yyyy-MM-dd HH:mm}Z, {report.Machine}, {report.Command}");
}
