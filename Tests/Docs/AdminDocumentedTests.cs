using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>docs/admin.md names every call of the Admin API, with its confirmation, and no other.</summary>
public sealed class AdminDocumentedTests
{
    private static readonly string Document = SourceTree.Read("docs/admin.md");

    [Fact]
    public void Every_call_is_documented_and_no_other()
    {
        var mapped = Regex.Matches(SourceTree.ReadAll("Gateway/Admin/"), @"(admin|user)\.Map(Get|Post|Delete)\(""([^""]*)""").Select(
            call => $"{call.Groups[2].Value.ToUpperInvariant()} /admin/v1{(call.Groups[1].Value == "user" ? "/users/{id}" : "")}{call.Groups[3].Value}");
        var documented = Regex.Matches(Document, @"^\| `(GET|POST|DELETE) (/admin/v1[^`]*)`", RegexOptions.Multiline).Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value}");

        Assert.Equal(mapped.Order(), documented.Order());
    }

    [Fact]
    public void Every_confirmation_is_documented()
    {
        var actions = Regex.Matches(SourceTree.ReadAll("Gateway/Admin/"), @"\.Act\((?:http, )?""([a-z-]+)""|cluster, ""([a-z]+)""")
            .Select(action => action.Groups[1].Value + action.Groups[2].Value)
            .ToList();

        Assert.Equal(11, actions.Count);
        Assert.All(actions, action => Assert.Matches($@"`Confirm: {action}`|\| `{action}` \|", Document));
    }

    [Fact]
    public void The_page_sets_every_text_as_text()
    {
        foreach (var script in (string[])["admin.js", "charts.js"])
        {
            var source = SourceTree.Read($"Gateway/wwwroot/admin/{script}");
            Assert.DoesNotMatch(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|setAttribute\(['""]on", source);
        }
    }
}
