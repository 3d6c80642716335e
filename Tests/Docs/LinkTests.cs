using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

public partial class LinkTests
{
    // Put together here, so that this file does not mention them either.
    private static readonly string[] Outside = [string.Concat("..", "/shared"), string.Concat("/wo", "rk/")];

    public static TheoryData<string> Documents => [.. SourceTree.Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_link_inside_the_repository_leads_somewhere(string document)
    {
        foreach (Match link in Link().Matches(WithoutCode(SourceTree.Read(document))))
        {
            var target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal)) continue;
            var parts = target.Split('#', 2);
            var file = parts[0].Length == 0 ? document : Resolve(document, parts[0]);
            Assert.True(Path.Exists(Path.Combine(SourceTree.Root, file)), $"{document} links to {target}, which is not there.");
            if (parts.Length == 2)
            {
                Assert.True(
                    Anchors(SourceTree.Read(file)).Contains(parts[1]), $"{document} links to {target}, and {file} has no such heading.");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_file_and_test_that_a_document_names_is_there(string document)
    {
        var text = SourceTree.Read(document);
        Assert.All(
            FileName().Matches(text).Select(m => m.Groups[1].Value),
            file => Assert.True(SourceTree.Files.Contains(file), $"{document} names {file}, which is not there."));
        var classes = SourceTree.CSharp("Tests/").Select(file => Path.GetFileNameWithoutExtension(file).Split('.')[0]).ToHashSet();
        Assert.All(TestName().Matches(text).Select(m => m.Groups[1].Value), name => Assert.Contains(name, classes));
    }

    /// <summary>A blank line in the middle of a table turns its rest into text.</summary>
    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_table_has_a_head(string document)
    {
        var lines = WithoutCode(SourceTree.Read(document)).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var begins = lines[i].StartsWith('|') && (i == 0 || !lines[i - 1].StartsWith('|'));
            if (begins)
            {
                Assert.True(
                    i + 1 < lines.Length && lines[i + 1].StartsWith("|-", StringComparison.Ordinal),
                    $"{document} has rows without a head: {lines[i]}");
            }
        }
    }

    [Fact]
    public void The_shop_window_is_complete()
    {
        string[] expected =
        [
            "README.md", "docs/architecture.md", "docs/protocol.md", "docs/operations.md", "docs/web-app.md", "docs/performance.md", "docs/testing.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE",
        ];
        Assert.Empty(expected.Except(SourceTree.Files));
    }

    [Fact]
    public void Nothing_needs_a_place_outside_the_repository()
    {
        foreach (var file in SourceTree.Files)
        {
            var text = SourceTree.Read(file);
            Assert.All(
                Outside, place => Assert.False(text.Contains(place, StringComparison.Ordinal), $"{file} mentions {place}."));
        }
    }

    private static string Resolve(string document, string target) =>
        Path.GetRelativePath(
            SourceTree.Root,
            Path.GetFullPath(Path.Combine(SourceTree.Root, Path.GetDirectoryName(document)!, Uri.UnescapeDataString(target))));

    /// <summary>Headings as GitHub turns them into anchors.</summary>
    private static HashSet<string> Anchors(string document) =>
        [.. Heading().Matches(WithoutCode(document)).Select(m => NoAnchor().Replace(m.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    private static string WithoutCode(string document) => Fence().Replace(document, "");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:[\w.]+/)+[\w.]+\.(?:cs|json|sql|csproj))`")]
    private static partial Regex FileName();

    [GeneratedRegex(@"`(\w+(?:Tests|Contract))`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"^#{1,6} (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
