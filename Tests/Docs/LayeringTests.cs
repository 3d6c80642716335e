using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>Who may know whom; ARCHITECTURE.md, Folders.</summary>
public class LayeringTests
{
    [Fact]
    public void The_gateway_knows_an_engine_by_its_contract_only() =>
        None(SourceTree.CSharp("Gateway/"), @"\bMirubato\.Grains\s*;|\bMirubato\.Grains\.(?!Interfaces\b)\w+");

    [Fact]
    public void The_engine_does_not_know_the_gateway() =>
        None(SourceTree.CSharp("Grains/").Concat(SourceTree.CSharp("Grains.Interfaces/")), @"\bMirubato\.Gateway\b|\busing Microsoft\.AspNetCore\b");

    [Fact]
    public void Deciding_is_pure()
    {
        None(SourceTree.CSharp("Grains/Domain/"), @"\busing (Npgsql|Microsoft\.|System\.(Net|IO|Threading)\b)");
        None(SourceTree.CSharp("Grains/Domain/"), @"\bawait\b|\basync\b|\bTimeProvider\b|\bUtcNow\b|\bRandom\b|\bNewGuid\b|\bStopwatch\b");
    }

    [Fact]
    public void The_contract_needs_nothing()
    {
        Assert.DoesNotContain("Reference", SourceTree.Read("Grains.Interfaces/Grains.Interfaces.csproj"), StringComparison.Ordinal);
        None(SourceTree.CSharp("Grains.Interfaces/"), @"\busing (Npgsql|Microsoft\.)");
    }

    [Theory]
    [InlineData("Grains/Grains.csproj", "Grains.Interfaces")]
    [InlineData("Gateway/Gateway.csproj", "Grains", "Grains.Interfaces")]
    [InlineData("Silo/Silo.csproj", "Gateway", "Grains", "Grains.Interfaces")]
    [InlineData("Bench/Bench.csproj")]
    public void A_project_references_what_it_may(string project, params string[] allowed)
    {
        var referenced = Regex.Matches(SourceTree.Read(project), @"ProjectReference Include=""[^""]*?([\w.]+)\.csproj""").Select(m => m.Groups[1].Value);
        Assert.Empty(referenced.Except(allowed));
    }

    [Fact]
    public void Only_the_silo_knows_Orleans()
    {
        None(SourceTree.CSharp().Where(file => !IsOfTheSilo(file)), @"\busing Orleans\b");
        var projects = SourceTree.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) && !IsOfTheSilo(file));
        Assert.DoesNotContain(projects, file => SourceTree.Read(file).Contains("Orleans", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = SourceTree.Read("MirubatoOrleans.sln");
        Assert.All(SourceTree.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal)), file => Assert.Contains(file.Replace('/', '\\'), solution, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_a_store_speaks_to_a_database() =>
        None(SourceTree.CSharp("Grains/").Concat(SourceTree.CSharp("Gateway/")).Where(file => !file.StartsWith("Grains/Storage/", StringComparison.Ordinal)),
            @"\busing (Npgsql|Microsoft\.Data)");

    private static bool IsOfTheSilo(string file) => file.StartsWith("Silo", StringComparison.Ordinal) || file.StartsWith("Tests/Silo/", StringComparison.Ordinal);

    private static void None(IEnumerable<string> files, string pattern)
    {
        var found = files.Select(file => (File: file, Match: Regex.Match(CSharpText.Bare(SourceTree.Read(file)), pattern))).Where(hit => hit.Match.Success);
        Assert.Empty(found.Select(hit => $"{hit.File}: {hit.Match.Value}"));
    }
}
