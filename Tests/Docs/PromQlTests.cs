using System.Text.Json;
using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>Panels and alerts ask for metrics that exist, by the names that OpenTelemetry gives them in Prometheus.</summary>
public class PromQlTests
{
    private static readonly Dictionary<string, string> Units = new() { ["s"] = "_seconds", ["By"] = "_bytes" };

    [Theory]
    [InlineData("deploy/prometheus/alerts.yaml")]
    [InlineData("deploy/grafana/mirubato-sync.json")]
    public void Every_metric_that_is_asked_for_exists(string file)
    {
        var asked = Regex.Matches(SourceTree.Read(file), @"\bmirubato_\w+").Select(m => m.Value).ToHashSet();
        Assert.NotEmpty(asked);
        Assert.Empty(asked.Except(Exported()));
    }

    [Fact]
    public void Every_alert_says_what_to_look_at_and_its_brackets_close()
    {
        var alerts = SourceTree.Read("deploy/prometheus/alerts.yaml").Split("- alert: ").Skip(1).ToList();
        Assert.NotEmpty(alerts);
        foreach (var alert in alerts)
        {
            Assert.Contains("runbook: docs/operations.md", alert, StringComparison.Ordinal);
            AssertClosed(Regex.Match(alert, "expr: (.*)").Groups[1].Value);
        }
    }

    [Fact]
    public void Every_panel_has_its_questions_and_their_brackets_close()
    {
        using var dashboard = JsonDocument.Parse(SourceTree.Read("deploy/grafana/mirubato-sync.json"));
        foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
        {
            var targets = panel.GetProperty("targets").EnumerateArray().Select(target => target.GetProperty("expr").GetString()!).ToList();
            Assert.NotEmpty(targets);
            Assert.All(targets, AssertClosed);
        }
    }

    /// <summary>Dots become underscores, units that are words of their own are added, and counters end in _total.</summary>
    private static HashSet<string> Exported()
    {
        var code = string.Join(
            '\n', SourceTree.CSharp().Where(file => file.EndsWith("Metrics.cs", StringComparison.Ordinal)).Select(SourceTree.Read));
        var made = Regex.Matches(code, @"Create(\w+?)(?:<\w+>)?\(\s*""(mirubato\.[\w.]+)"",(?:[^""]*,)?\s*""([^""]+)""");
        Assert.NotEmpty(made);
        return [.. made.SelectMany(m => Names(m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value))];
    }

    private static IEnumerable<string> Names(string kind, string name, string unit)
    {
        var bare = name.Replace('.', '_');
        var suffix = Units.GetValueOrDefault(unit, "");
        if (!bare.EndsWith(suffix, StringComparison.Ordinal)) bare += suffix;
        return kind switch
        {
            "Counter" or "ObservableCounter" => [bare + "_total"],
            "Histogram" => [bare + "_bucket", bare + "_sum", bare + "_count"],
            _ => [bare],
        };
    }

    private static void AssertClosed(string expression)
    {
        Assert.NotEmpty(expression);
        foreach (var pair in (string[])["()", "[]", "{}"])
            Assert.Equal(expression.Count(c => c == pair[0]), expression.Count(c => c == pair[1]));
    }
}
