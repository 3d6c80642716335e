using System.Globalization;
using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>
/// Prose that nothing checks becomes false: whatever the code can say is in the documents, and the documents say nothing else.
/// </summary>
public class DocumentedTests
{
    private static string Protocol => SourceTree.Read("docs/protocol.md");
    private static string Operations => SourceTree.Read("docs/operations.md");

    [Fact]
    public void Every_reason_of_an_item_is_in_the_protocol_and_no_other()
    {
        var members = Enum("Grains.Interfaces/Refusals.cs", "ItemRefusal").Where(name => name != "None").Select(Snake);
        Same(members, MarkdownTable.Rows(MarkdownTable.Section(Protocol, "### Item reasons")).Keys);
    }

    [Fact]
    public void Every_reason_has_its_word_in_the_answers()
    {
        var messages = SourceTree.Read("Gateway/Wire/ItemMessages.cs");
        foreach (var word in Enum("Grains.Interfaces/Refusals.cs", "ItemRefusal").Where(name => name != "None").Select(Snake))
            Assert.True(Regex.IsMatch(messages, $@"\(\s*""{word}"",\s"), $"ItemMessages.cs has no word '{word}'.");
    }

    [Fact]
    public void Every_error_code_is_in_the_protocol_with_its_status_and_no_other()
    {
        var coded = Regex.Matches(SourceTree.Read("Gateway/Errors/Problem.cs"), @"new\(\s*(\d{3}), ""([A-Z0-9_]+)""").Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}");
        Same(coded, Errors().Select(row => $"{row.Value[0]} {row.Key}"));
    }

    [Fact]
    public void Every_error_says_what_to_do()
    {
        foreach (var (code, cells) in Errors())
            Assert.True(cells.Length == 4 && cells.All(cell => cell.Length > 0), $"{code} lacks a meaning or a remedy.");
    }

    [Fact]
    public void Every_refusal_of_a_request_has_its_error()
    {
        var problems = SourceTree.Read("Gateway/Errors/Problem.cs");
        foreach (var name in Enum("Grains.Interfaces/Refusals.cs", "RequestRefusal").Where(name => name != "None"))
            Assert.True(Regex.IsMatch(problems, $@"RequestRefusal\.{name} => Problem\.\w+"), $"RequestRefusal.{name} is no problem in Problem.cs.");
    }

    [Fact]
    public void Every_setting_is_in_operations_and_no_other()
    {
        var read = Regex.Matches(SourceTree.ReadAll("Gateway/") + SourceTree.ReadAll("Silo/"), @"ettings\.(?:Text|Int|Number|List|Flag)\(\s*""([\w:]+)""").Select(m => m.Groups[1].Value).Append("Urls");
        var table = MarkdownTable.Rows(MarkdownTable.Section(Operations, "## Settings"));
        Same(read, table.Keys);
        foreach (var (name, cells) in table)
            Assert.True(
                cells[1].Contains($"`{name.Replace(":", "__", StringComparison.Ordinal)}", StringComparison.Ordinal),
                $"{name} lacks its environment form.");
    }

    [Fact]
    public void Every_default_of_a_limit_is_in_operations()
    {
        var table = MarkdownTable.Rows(MarkdownTable.Section(Operations, "## Settings"));
        foreach (
            Match option in Regex.Matches(
                SourceTree.Read("Gateway/Options/GatewayOptions.cs"), @"(?:int|long) (\w+) \{ get; init; \} = ([^;]+);"))
        {
            var name = $"Limits:{option.Groups[1].Value}";
            Assert.Equal(Number(option.Groups[2].Value).ToString(CultureInfo.InvariantCulture), table[name][2]);
        }
    }

    [Fact]
    public void Every_number_of_a_cluster_is_in_operations_with_its_default_and_range()
    {
        var table = MarkdownTable.Rows(MarkdownTable.Section(Operations, "## Settings"));
        var numbers = Regex.Matches(SourceTree.ReadAll("Silo/"), @"settings\.Int\(""([\w:]+)"", ([\d_]+), ([\d_]+), ([\d_]+)\)").ToList();
        Assert.NotEmpty(numbers);
        foreach (var setting in numbers.Select(m => m.Groups))
        {
            var cells = table[setting[1].Value];
            Assert.Equal(Number(setting[2].Value).ToString(CultureInfo.InvariantCulture), cells[2]);
            Assert.StartsWith(
                string.Create(CultureInfo.InvariantCulture, $"{Number(setting[3].Value):N0}–{Number(setting[4].Value):N0};"), cells[3],
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_bound_is_in_operations_with_its_value_and_no_other()
    {
        var bounds = Regex.Matches(SourceTree.Read("Grains.Interfaces/Limits.cs"), @"public const (?:int|long) (\w+) = ([^;]+);")
            .ToDictionary(m => m.Groups[1].Value, m => Number(m.Groups[2].Value));
        var table = MarkdownTable.Rows(MarkdownTable.Section(Operations, "## Limits"));
        Same(bounds.Keys, table.Keys);
        foreach (var (name, value) in bounds)
        {
            Assert.True(value == Amount(table[name][1]), $"{name} is {value}, documented as {table[name][1]}.");
        }
    }

    [Fact]
    public void Every_metric_is_in_operations_with_its_unit_and_no_other()
    {
        var code = string.Join(
            '\n', SourceTree.CSharp().Where(file => file.EndsWith("Metrics.cs", StringComparison.Ordinal)).Select(SourceTree.Read));
        var units = Regex.Matches(code, @"\(\s*""(mirubato\.[\w.]+)"",(?:[^""]*,)?\s*""([^""]+)""").ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        var table = MarkdownTable.Rows(MarkdownTable.Section(Operations, "## Metrics"));
        Assert.NotEmpty(units);
        Same(units.Keys, table.Keys);
        foreach (var (name, unit) in units) Assert.Equal(unit, table[name][1]);
    }

    [Fact]
    public void Every_route_is_in_the_protocol()
    {
        var routes = Regex.Matches(SourceTree.ReadAll("Gateway/Rest/"), @"\b(sync|rest|health|app)\.Map(Get|Post|Put|Delete)\(""([^""]*)""");
        Assert.NotEmpty(routes);
        foreach (Match route in routes)
        {
            var prefix = route.Groups[1].Value is "sync" or "rest" ? "/api/sync" : "";
            var call = $"`{route.Groups[2].Value.ToUpperInvariant()} {prefix}{route.Groups[3].Value}`";
            Assert.True(Protocol.Contains(call, StringComparison.Ordinal), $"docs/protocol.md does not list {call}.");
        }
    }

    [Fact]
    public void Every_health_path_is_in_both_documents()
    {
        var paths = Regex.Matches(SourceTree.Read("Gateway/Rest/HealthEndpoints.cs"), @"""(/[a-z/]+)""")
            .Select(m => m.Groups[1].Value)
            .ToList();
        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.Contains($"`{path}`", Protocol, StringComparison.Ordinal));
        Assert.All(paths, path => Assert.Contains($"`{path}`", Operations, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_documented_call_exists()
    {
        var mapped = Regex.Matches(SourceTree.ReadAll("Gateway/Rest/"), @"Map(Get|Post|Put|Delete)\(""([^""]*)""").Select(m => $"{m.Groups[1].Value.ToUpperInvariant()} {m.Groups[2].Value}").ToHashSet();
        var documented = Regex.Matches(MarkdownTable.Section(Protocol, "## 8. Endpoints"), @"`(GET|POST|PUT|DELETE) /api/sync(/[^`?]*)`");
        Assert.NotEmpty(documented);
        foreach (Match call in documented) Assert.Contains($"{call.Groups[1].Value} {call.Groups[2].Value}", mapped);
    }

    [Fact]
    public void Every_header_that_means_something_is_in_the_protocol()
    {
        var headers = Regex.Matches(SourceTree.Read("Gateway/Http/CommonHeaders.cs"), @"const string \w+ = ""([^""]+)""").Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(headers);
        Assert.All(headers, header => Assert.Contains(header, Protocol, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_row_of_the_entity_table_is_in_the_protocol()
    {
        var types = Regex.Matches(SourceTree.Read("Grains.Interfaces/EntityTypes.cs"), @"= new\(""(\w+)"", ""(\w+)""([^;]*)\);");
        var table = MarkdownTable.Rows(MarkdownTable.Section(Protocol, "## 4. Entities"));
        Assert.NotEmpty(types);
        foreach (Match type in types)
        {
            var cells = table[type.Groups[1].Value];
            Assert.StartsWith($"`{type.Groups[2].Value}`", cells[1], StringComparison.Ordinal);
            if (Regex.Match(type.Groups[3].Value, @"""(\w+)""") is { Success: true } counted)
            {
                Assert.Equal($"`{counted.Groups[1].Value}`", cells[3]);
            }
        }
    }

    [Fact]
    public void Every_kind_of_store_failure_has_its_line_in_the_runbook()
    {
        var faults = SourceTree.CSharp("Grains/Storage/")
            .Where(file => file.EndsWith("Faults.cs", StringComparison.Ordinal))
            .Select(SourceTree.Read);
        var reasons = Regex.Matches(string.Join('\n', faults), @"=> ""([a-z]+)""").Select(m => m.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(reasons);
        Assert.All(reasons, reason => Assert.Contains($"| reason `{reason}` |", Operations, StringComparison.Ordinal));
        Assert.All(reasons, reason => Assert.Contains($"`{reason}`", Protocol, StringComparison.Ordinal));
    }

    /// <summary>The table of requests' errors by code; that of items follows it in the same section.</summary>
    private static IEnumerable<KeyValuePair<string, string[]>> Errors() =>
        MarkdownTable.Rows(MarkdownTable.Section(Protocol, "## 9. Errors").Split("### Item reasons")[0], cell: 1);

    private static string[] Enum(string file, string name)
    {
        var bare = CSharpText.Bare(SourceTree.Read(file));
        var body = Regex.Match(bare, $@"enum {name}\s*\{{([^}}]*)\}}").Groups[1].Value;
        return body.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Snake(string name) => Regex.Replace(name, "(?<!^)([A-Z])", "_$1").ToLowerInvariant();

    /// <summary>A constant as the code writes it: a product of whole numbers.</summary>
    private static long Number(string product) =>
        product.Split('*').Select(factor => long.Parse(factor.Trim().TrimEnd('L').Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)).Aggregate((a, b) => a * b);

    /// <summary>A value as the documents write it.</summary>
    private static long Amount(string text)
    {
        var parts = text.Replace(",", "", StringComparison.Ordinal).Split(' ');
        var unit = parts.Length == 1 ? 1 : parts[1] switch { "KiB" => 1024, "MiB" => 1024 * 1024, "s" => 1000, _ => 0 };
        return long.Parse(parts[0], CultureInfo.InvariantCulture) * unit;
    }

    private static void Same(IEnumerable<string> code, IEnumerable<string> documents)
    {
        var (written, promised) = (code.ToHashSet(), documents.ToHashSet());
        Assert.NotEmpty(written);
        Assert.True(written.SetEquals(promised),
            $"Only in the code: {string.Join(", ", written.Except(promised).Order())}; only in the documents: {string.Join(", ", promised.Except(written).Order())}.");
    }
}
