using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>Who may know whom; docs/architecture.md, Folders.</summary>
public class LayeringTests
{
    /// <summary>
    /// Files of Grains that work beside the turns of a grain: what a silo starts with and does in the background, and the way from there
    /// onto a coordinator's turns.
    /// </summary>
    private static readonly string[] BesideTurns =
        [
            "Grains/ActiveCoordinators.cs", "Grains/CoordinatorUpkeep.cs", "Grains/IdleMemory.cs",
            "Grains/ImportTimer.cs", "Grains/ManagedHeap.cs", "Grains/MaintenanceTimer.cs", "Grains/StoreGate.cs",
        ];

    [Theory]
    [InlineData("Grains.Interfaces/Grains.Interfaces.csproj")]
    [InlineData("Grains/Grains.csproj", "Grains.Interfaces")]
    [InlineData("Gateway/Gateway.csproj", "Grains.Interfaces")]
    [InlineData("Silo/Silo.csproj", "Gateway", "Grains", "Grains.Interfaces")]
    [InlineData("Bench/Bench.csproj")]
    [InlineData("Cli/Cli.csproj", "Silo")]
    public void A_project_references_these_and_no_others(string project, params string[] expected) =>
        Assert.Equal(expected.Order(), References(project, "Project", @"[^""]*?([\w.]+)\.csproj").Order());

    [Fact]
    public void The_contract_needs_the_attributes_of_Orleans_only()
    {
        Assert.Equal(["Microsoft.Orleans.Sdk"], References("Grains.Interfaces/Grains.Interfaces.csproj", "Package"));
        None(
            SourceTree.CSharp("Grains.Interfaces/"),
            @"\busing (Npgsql|Microsoft\.)|\bMirubato\.(Gateway|Silo)\b|\bMirubato\.Grains\.(?!Interfaces\b)");
    }

    [Fact]
    public void The_gateway_is_a_library_that_knows_the_contract_only()
    {
        Assert.Contains("<OutputType>Library</OutputType>", SourceTree.Read("Gateway/Gateway.csproj"), StringComparison.Ordinal);
        Assert.DoesNotContain(References("Gateway/Gateway.csproj", "Package"), package => Regex.IsMatch(package, "Orleans|Npgsql|Sqlite"));
        None(
            SourceTree.CSharp("Gateway/"),
            @"\bMirubato\.Grains\s*;|\bMirubato\.Grains\.(?!Interfaces\b)\w+|\bMirubato\.Silo\b|\busing (Npgsql|Microsoft\.Data)");
    }

    [Fact]
    public void The_grains_know_neither_the_gateway_nor_the_silo() =>
        None(SourceTree.CSharp("Grains/"), @"\bMirubato\.(Gateway|Silo)\b|\busing Microsoft\.AspNetCore\b");

    [Fact]
    public void Only_the_contract_the_grains_and_the_silo_reference_Orleans()
    {
        string[] allowed = ["Grains.Interfaces/Grains.Interfaces.csproj", "Grains/Grains.csproj", "Silo/Silo.csproj", "Tests/Tests.csproj"];
        var projects = Projects.Where(
            project => References(project, "Package").Any(package => package.Contains("Orleans", StringComparison.Ordinal)));
        Assert.Equal(allowed.Order(), projects.Order());
    }

    [Fact]
    public void Only_the_silo_is_a_program_with_a_server() =>
        Assert.Equal(
            ["Silo/Program.cs"],
            SourceTree.CSharp().Where(
                file => Path.GetFileName(file) == "Program.cs" && !Regex.IsMatch(file, "^(Bench|Cli)/")));

    /// <summary>The command line reads the server's settings and composes its store, and is known to nobody.</summary>
    [Fact]
    public void Nothing_knows_the_command_line() =>
        None(SourceTree.CSharp().Where(file => !Regex.IsMatch(file, "^(Cli|Tests)/")), @"\bMirubato\.Cli\b");

    [Fact]
    public void Deciding_is_pure()
    {
        None(
            SourceTree.CSharp("Grains/Domain/"),
            @"\busing (Npgsql|Orleans|Microsoft\.|System\.(Net|IO(?!\.Hashing)|Threading)\b)|\bMirubato\.Grains\.Storage\b|\bGrains\.Storage\b");
        None(
            SourceTree.CSharp("Grains/Domain/"),
            @"\bawait\b|\basync\b|\bTimeProvider\b|\bUtcNow\b|\bRandom\b|\bNewGuid\b|\bStopwatch\b|\bI?Grain(Factory|Context)?\b");
    }

    [Fact]
    public void A_store_does_not_know_Orleans() =>
        None(SourceTree.CSharp("Grains/Storage/"), @"\busing Orleans\b|\bI?Grain(Factory|Context)\b|\bSyncCoordinatorGrain\b");

    [Fact]
    public void Only_a_store_speaks_to_a_database() =>
        None(
            SourceTree.CSharp("Grains/").Where(file => !file.StartsWith("Grains/Storage/", StringComparison.Ordinal)),
            @"\busing (Npgsql|Microsoft\.Data)");

    /// <summary>What leaves the turns runs beside other calls of the same user, and a coordinator has no locks.</summary>
    [Fact]
    public void A_coordinator_stays_on_its_turns()
    {
        const string leaving =
            @"\bTask\.Run\b|\bConfigureAwait\b|\bStartNew\b|\bThreadPool\b|\bTask\.Delay\b|\bPeriodicTimer\b|\bCreateTimer\b|\bnew Timer\b|\bRegisterGrainTimer\b|\bContinueWith\b|\block \(";
        var onTurns = SourceTree.CSharp("Grains/")
            .Where(file => !file.StartsWith("Grains/Storage/", StringComparison.Ordinal))
            .Except(BesideTurns);
        Assert.Empty(Hits(onTurns, leaving));
        Assert.Empty(BesideTurns.Except(SourceTree.Files));
    }

    /// <summary>Announcements go through Orleans. A second way beside it would be a second engine.</summary>
    [Fact]
    public void Nothing_is_announced_by_the_database()
    {
        string[] folders = ["Grains.Interfaces/", "Grains/", "Gateway/", "Silo/"];
        var files = SourceTree.Files.Where(
            file => folders.Any(folder => file.StartsWith(folder, StringComparison.Ordinal)) && Path.GetExtension(file) is ".cs" or ".sql");
        Assert.DoesNotContain(files, file => Regex.IsMatch(SourceTree.Read(file), "LISTEN|NOTIFY|pg_notify"));
    }

    [Theory]
    [InlineData("Gateway", "Mirubato.Gateway")]
    [InlineData("Grains", "Mirubato.Grains")]
    public void No_folder_of_a_project_knows_one_that_knows_it(string project, string space)
    {
        var known = SourceTree.CSharp($"{project}/").Where(file => file.Count(c => c == '/') > 1).ToLookup(
            file => file.Split('/')[1],
            file => Regex.Matches(SourceTree.Read(file), $@"using {Regex.Escape(space)}\.(\w+)").Select(use => use.Groups[1].Value));
        var next = known.ToDictionary(folder => folder.Key, folder => folder.SelectMany(uses => uses).Where(known.Contains).ToHashSet());
        Assert.All(next.Keys, folder => Assert.DoesNotContain(folder, Reached(next, folder)));
    }

    private static HashSet<string> Reached(Dictionary<string, HashSet<string>> next, string from)
    {
        var reached = new HashSet<string>();
        var todo = new Stack<string>(next[from].Where(folder => folder != from));
        while (todo.TryPop(out var folder))
        {
            if (!reached.Add(folder)) continue;
            foreach (var further in next[folder].Where(further => further != folder)) todo.Push(further);
        }

        return reached;
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = SourceTree.Read("MirubatoOrleans.sln");
        Assert.All(Projects, file => Assert.Contains(file.Replace('/', '\\'), solution, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Projects => SourceTree.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal));

    private static IEnumerable<string> References(string project, string kind, string name = @"([^""]+)") =>
        Regex.Matches(SourceTree.Read(project), $@"{kind}Reference Include=""{name}""").Select(m => m.Groups[1].Value);

    private static void None(IEnumerable<string> files, string pattern) => Assert.Empty(Hits(files, pattern));

    private static IEnumerable<string> Hits(IEnumerable<string> files, string pattern) =>
        files.SelectMany(file => Regex.Matches(CSharpText.Bare(SourceTree.Read(file)), pattern).Select(hit => $"{file}: {hit.Value}"));
}
