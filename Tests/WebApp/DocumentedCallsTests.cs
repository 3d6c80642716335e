using System.Text.RegularExpressions;
using Mirubato.Tests.Docs;

namespace Mirubato.Tests.WebApp;

public sealed class DocumentedCallsTests
{
    [Fact]
    public void Each_call_of_the_web_app_is_in_the_protocol_and_no_other()
    {
        var mapped = Regex.Matches(SourceTree.ReadAll("Gateway/WebApp/"), @"\.Map(Get|Post|Put|Delete)\(""([^""]+)""")
            .Select(route => $"{route.Groups[1].Value.ToUpperInvariant()} {route.Groups[2].Value}").Order().ToList();
        var section = SourceTree.Read("docs/web-app.md");
        var documented = Regex.Matches(section, @"`((?:GET|POST|PUT|DELETE) /api/[^`?]*)(?:\?[^`]*)?`").Select(call => call.Groups[1].Value)
            .Where(call => !call.Contains("/api/sync/", StringComparison.Ordinal)).Distinct().Order().ToList();

        Assert.NotEmpty(mapped);
        Assert.Equal(mapped, documented);
    }
}
