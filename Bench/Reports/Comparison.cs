using Mirubato.Bench.Load;
using Spectre.Console;

namespace Mirubato.Bench.Reports;

/// <summary>Two runs side by side: a, b and b/a. More requests and fewer milliseconds are better.</summary>
internal static class Comparison
{
    public static void Print(IAnsiConsole console, Report a, Report b)
    {
        var table = Screen.Table(console,
            "scenario", "req/s a", "req/s b", "b/a", "p50 a", "p50 b", "b/a", "p99 a", "p99 b", "b/a", "errors");
        foreach (var name in a.Scenarios.Concat(b.Scenarios).Select(figures => figures.Name).Distinct())
            table.AddRow([.. Row(name, Named(a, name), Named(b, name)).Select(Markup.Escape)]);
        console.Write(table);
        foreach (var (name, kibA, kibB) in Weights(a, b))
            console.WriteLine($"{name}: {Numerals.Short(kibA)} and {Numerals.Short(kibB)} KiB each, {Numerals.Ratio(kibA, kibB)}");
        console.WriteLine("p50 and p99 in milliseconds.");
        Describe(console, "a", a);
        Describe(console, "b", b);
    }

    private static IEnumerable<(string Name, double A, double B)> Weights(Report a, Report b) =>
        from figures in a.Scenarios
        where figures.KiBEach is not null && Named(b, figures.Name)?.KiBEach is not null
        select (figures.Name, figures.KiBEach!.Value, Named(b, figures.Name)!.KiBEach!.Value);

    private static IEnumerable<string> Row(string name, Figures? a, Figures? b) =>
    [
        name,
        .. Triple(a?.PerSecond, b?.PerSecond),
        .. Triple(a?.P50Ms, b?.P50Ms),
        .. Triple(a?.P99Ms, b?.P99Ms),
        $"{Errors(a)}/{Errors(b)}",
    ];

    private static IEnumerable<string> Triple(double? a, double? b) =>
    [
        a is null ? "-" : Numerals.Short(a.Value),
        b is null ? "-" : Numerals.Short(b.Value),
        a is null || b is null ? "-" : Numerals.Ratio(a.Value, b.Value),
    ];

    private static string Errors(Figures? figures) => figures is null ? "-" : Numerals.Whole(figures.Errors);

    private static Figures? Named(Report report, string name) =>
        report.Scenarios.FirstOrDefault(figures => figures.Name == name);

    private static void Describe(IAnsiConsole console, string which, Report report) =>
        console.WriteLine($"{which}: {report.StartedAt:yyyy-MM-dd HH:mm}Z, {report.Machine}, {report.Command}");
}
