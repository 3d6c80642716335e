using System.Reflection;
using System.Text.RegularExpressions;
using Mirubato.Gateway.Socket;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Docs;

/// <summary>The page "what one user can hold": each row names bounds that exist and tests that show them.</summary>
public sealed class SecurityTests
{
    private static readonly List<string[]> Table =
    [
        .. MarkdownTable.Section(SourceTree.Read("SECURITY.md"), "## What one user can hold").Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(line => line.Trim().Trim('|').Split(" | ")),
    ];

    [Fact]
    public void Every_bound_that_it_names_exists()
    {
        var constants = ((Type[])[typeof(Limits), typeof(SocketLimits)])
            .SelectMany(type => type.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static))
            .Select(field => field.Name);
        var settings = MarkdownTable.Rows(MarkdownTable.Section(SourceTree.Read("docs/operations.md"), "## Settings")).Keys;
        var bounds = constants.Concat(settings).ToHashSet();
        Assert.All(Table, row => Assert.Subset(bounds, Quoted(row[2])));
    }

    [Fact]
    public void Every_test_that_it_names_exists()
    {
        var tests = typeof(SecurityTests)
            .Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Select(method => method.Name)
            .ToHashSet();
        Assert.All(Table, row => Assert.Subset(tests, Quoted(row[3])));
    }

    private static HashSet<string> Quoted(string cell)
    {
        var names = Regex.Matches(cell, "`([^`]+)`").Select(name => name.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(names);
        return names;
    }
}
