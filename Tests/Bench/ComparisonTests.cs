using System.Text.Json;
using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;
using Spectre.Console;

namespace Mirubato.Tests.Bench;

public sealed class ComparisonTests
{
    [Fact]
    public void Two_runs_stand_side_by_side_with_the_ratio()
    {
        var text = Print(Run(Scenario("push-1", 2000, 4)), Run(Scenario("push-1", 3000, 2)));

        Assert.Contains(
            "| push-1   |   2,000 |   3,000 | 1.50x |  2.00 |  1.00 | 0.50x |  4.00 |  2.00 | 0.50x |    0/0 |", text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_scenario_only_one_run_has_is_shown_without_a_ratio()
    {
        var text = Print(Run(Scenario("push-1", 2000, 4)), Run(Scenario("status", 0, 0)));

        Assert.Contains("| push-1   |   2,000 |       - |   - |", text, StringComparison.Ordinal);
        Assert.Contains("| status   |       - |    0.00 |   - |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void CPU_time_is_compared_where_a_run_has_measured_it()
    {
        var measured = Scenario("push-1", 2000, 4) with { ServerCpuUs = 361, PostgresCpuUs = 120 };
        var text = Print(Run(measured), Run(measured with { ServerCpuUs = 234, PostgresCpuUs = null }));

        Assert.Contains(
            "| server µs/req a | server µs/req b |   b/a | postgres µs/req a | postgres µs/req b | b/a | errors |", text,
            StringComparison.Ordinal);
        Assert.Contains(
            "|             361 |             234 | 0.65x |               120 |                 - |   - |    0/0 |", text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("µs/req a", Print(Run(Scenario("push-1", 2000, 4)), Run()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_comes_back_from_its_file_as_it_was_written()
    {
        var file = new FileInfo(Path.GetTempFileName());
        try
        {
            var report = Run(Scenario("push-1", 2000, 4) with { Errors = 2, FirstError = "HTTP 500" });
            report.Write(file);
            var read = Report.Read(file);

            Assert.Equal(report.Scenarios, read.Scenarios);
            Assert.Equal(report.Machine, read.Machine);
            Assert.True(read.Failed);
        }
        finally
        {
            file.Delete();
        }
    }

    [Fact]
    public void Another_JSON_file_is_refused_rather_than_shown_as_zeros()
    {
        var file = new FileInfo(Path.GetTempFileName());
        try
        {
            File.WriteAllText(file.FullName, """{"scenarios":[]}""");
            Assert.Throws<JsonException>(() => Report.Read(file));
        }
        finally
        {
            file.Delete();
        }
    }

    private static Figures Scenario(string name, double perSecond, double p99) =>
        new(name, name, 32, 20, 100, 5, perSecond, p99 / 2, p99 / 2, p99, p99 * 2, 0, null);

    private static Report Run(params Figures[] scenarios) =>
        new(new Machine(2, "Linux", ".NET 10", 4096), "bench", DateTimeOffset.UnixEpoch, 1) { Scenarios = [.. scenarios] };

    private static string Print(Report a, Report b)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 200;
        Comparison.Print(console, a, b);
        return text.ToString();
    }
}
