using System.Globalization;
using System.Text.RegularExpressions;
using Mirubato.Gateway.Socket;
using Mirubato.Gateway.Wire;

namespace Mirubato.Tests.Docs;

/// <summary>What a socket can say, and nothing else, is in the documents.</summary>
public class SocketDocumentedTests
{
    private static string Protocol => SourceTree.Read("docs/protocol.md");
    private static string Operations => SourceTree.Read("docs/operations.md");

    [Fact]
    public void Every_close_code_is_in_the_protocol_and_no_other_and_each_is_in_the_runbook()
    {
        var codes = Enum.GetValues<CloseCode>().Select(code => ((int)code).ToString(CultureInfo.InvariantCulture)).ToList();
        Assert.DoesNotContain("1000", codes);
        Assert.Equal(codes.Order(), MarkdownTable.Rows(MarkdownTable.Section(Protocol, "### Close codes")).Keys.Order());
        Assert.All(codes, code => Assert.Contains($"**close code {code}**", Operations, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_socket_error_is_in_the_protocol_and_no_other() =>
        Assert.Equal(
            Enum.GetValues<SocketErrorCode>().Select(code => code.Word()).Order(),
            MarkdownTable.Rows(MarkdownTable.Section(Protocol, "### Socket errors")).Keys.Order());

    [Fact]
    public void Every_refusal_of_an_upgrade_is_in_the_protocol()
    {
        var refusals = Regex.Matches(SourceTree.ReadAll("Gateway/Socket/"), @"StatusCodes\.Status(\d{3})\w+, ""([^""]+)""").ToList();
        Assert.NotEmpty(refusals);
        var opening = MarkdownTable.Section(Protocol, "### Opening");
        Assert.All(refusals, refusal => Assert.Contains($"| {refusal.Groups[1].Value} | `{{\"error\":\"{refusal.Groups[2].Value}\"}}` |", opening, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_event_is_in_the_protocol_with_its_members()
    {
        var frames = MarkdownTable.Section(Protocol, "### Frames");
        foreach (var names in SocketEvents.All)
        {
            Assert.All(names.Upserts.Concat(names.Deletes).Concat(names.Bulk is { } bulk ? [bulk] : []), name => Assert.Contains($"`{name}`", frames, StringComparison.Ordinal));
            Assert.Contains($"`{names.Payload}`", frames, StringComparison.Ordinal);
            if (names.Deletes.Length > 0) Assert.Contains($"`{names.IdMember}`", frames, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_bound_of_a_socket_is_in_operations_with_its_value_and_no_other()
    {
        var bounds = Regex.Matches(SourceTree.Read("Gateway/Socket/SocketLimits.cs"), @"public const int (\w+) = ([^;]+);")
            .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value.Split('*').Select(f => long.Parse(f.Trim().Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)).Aggregate((a, b) => a * b));
        var table = MarkdownTable.Rows(MarkdownTable.Section(Operations, "## Socket limits"));
        Assert.Equal(bounds.Keys.Order(), table.Keys.Order());
        foreach (var (name, value) in bounds)
        {
            var parts = table[name][1].Replace(",", "", StringComparison.Ordinal).Split(' ');
            var unit = parts.Length == 1 ? 1 : parts[1] switch { "MiB" => 1024 * 1024, "s" => 1000, _ => 0 };
            Assert.True(value == long.Parse(parts[0], CultureInfo.InvariantCulture) * unit, $"{name} is {value}, documented as {table[name][1]}.");
        }
    }
}
