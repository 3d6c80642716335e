using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>What of CONTRIBUTING.md, "How the code reads", a machine can see.</summary>
public class TidyTests
{
    private const int MethodLinesMax = 70;
    private const int ParametersMax = 6;
    private const int ColumnsMax = 140;
    private const string StateTables = "Client/test/stateMachines.test.ts";
    private const string Waiting = @"Thread\.Sleep\s*\(|Task\.Delay\s*\(\s*(\d[\d_]*|TimeSpan\.\w+\(\s*[\d_.]+\s*\))\s*\)";

    [Fact]
    public void No_method_is_longer_than_a_screen() =>
        Assert.Empty(SourceTree.CSharp()
            .SelectMany(
                file =>
                    CSharpMembers.Methods(Bare(file))
                        .Where(method => method.Lines > MethodLinesMax)
                        .Select(method => $"{file}:{method.Line} {method.Name}, {method.Lines} lines")));

    [Fact]
    public void No_constructor_asks_for_more_than_six_things() =>
        Assert.Empty(SourceTree.CSharp()
            .SelectMany(
                file =>
                    CSharpMembers.Constructors(Bare(file))
                        .Where(made => made.Parameters > ParametersMax)
                        .Select(made => $"{file}: {made.Class} takes {made.Parameters}")));

    [Fact]
    public void No_name_of_a_file_stands_for_anything_at_all() =>
        Assert.DoesNotContain(
            SourceTree.CSharp(),
            file => Regex.IsMatch(Path.GetFileNameWithoutExtension(file), "(Manager|Helper|Service|Processor|Impl|Util)s?(?![a-z])"));

    [Fact]
    public void No_test_waits_for_time_to_pass() =>
        Assert.Empty(Hits("Tests/", Waiting));

    /// <summary>But for addresses, tables, and the literals of tests, most of which are documents.</summary>
    [Fact]
    public void No_line_has_more_than_140_columns() =>
        Assert.Empty(
            from file in SourceTree.Files
            where file != StateTables && Path.GetExtension(file) is ".cs" or ".sql" or ".ts" or ".md" or ".css" or ".yaml" or ".yml"
            from line in SourceTree.Read(file).Split('\n').Index()
            where line.Item.TrimEnd().Length > ColumnsMax && !line.Item.StartsWith('|') && !line.Item.Contains("://", StringComparison.Ordinal)
            where !file.StartsWith("Tests/", StringComparison.Ordinal) || !line.Item.Contains('"')
            select $"{file}:{line.Index + 1}");

    /// <summary>
    /// The rest of .editorconfig is checked for C# by the compiler. A Markdown line may end with the blanks of a line break.
    /// </summary>
    [Fact]
    public void Every_line_ends_with_one_character_and_every_file_with_a_line() =>
        Assert.Empty(
            from file in SourceTree.Files
            let kind = Path.GetExtension(file)
            where kind is ".cs" or ".sql" or ".ts" or ".md" or ".css" or ".yaml" or ".yml" or ".csproj" or ".props"
            let text = SourceTree.Read(file)
            where Regex.IsMatch(text, @"\r|\t\n|(?<!\n)\z") || (kind != ".md" && text.Contains(" \n", StringComparison.Ordinal))
            select file);

    [Fact]
    public void Nothing_is_folded_away() =>
        Assert.DoesNotContain(SourceTree.CSharp(), file => Regex.IsMatch(SourceTree.Read(file), @"^\s*#region", RegexOptions.Multiline));

    [Fact]
    public void Time_is_asked_of_a_provider() =>
        Assert.Empty(Hits("Grains", @"\bDateTime(Offset)?\.(Utc)?Now\b").Concat(Hits("Gateway/", @"\bDateTime(Offset)?\.(Utc)?Now\b")));

    [Theory]
    [InlineData("class A { void B() { if (x) { } } int C => 1; }", "void B:1")]
    [InlineData("class A(int x) { A(string s) : this(1)\n{\n} }", "A:3")]
    [InlineData("class A { int[] t = [1,\n2]; int P { get; } = 3; int D(int a) =>\n a;\n}", "int D:2")]
    [InlineData("class A { string s = \"{\"; string t = $\"{(x ? \"}\" : \"\")}\"; void B(char c = '{')\n{ }\n}", "void B:2")]
    [InlineData("class A { string s = \"\"\"\n{ \" \"\"\"; /* } */ void B() // }\n{ }\n}", "void B:2")]
    [InlineData("class A { bool operator ==(A a, A b) =>\n\ntrue; }", "bool operator ==:3")]
    public void Methods_are_found_by_their_braces(string code, string expected)
    {
        var method = Assert.Single(CSharpMembers.Methods(CSharpText.Bare(code)));
        Assert.Equal(expected, $"{method.Name}:{method.Lines}");
    }

    [Theory]
    [InlineData("class A(int a, Dictionary<int, (int, int)> b, Func<int, int> c) { }", 3)]
    [InlineData("class A { public A() { } }", 0)]
    [InlineData("sealed class A<T>(T a) : B(1, 2, 3) { }", 1)]
    [InlineData("class A { internal A(int a, int b = 1) { } }", 2)]
    public void Parameters_are_counted(string code, int expected) =>
        Assert.Equal(expected, Assert.Single(CSharpMembers.Constructors(CSharpText.Bare(code))).Parameters);

    private static string Bare(string file) => CSharpText.Bare(SourceTree.Read(file));

    private static IEnumerable<string> Hits(string folder, string pattern) =>
        SourceTree.CSharp(folder).SelectMany(file => Regex.Matches(Bare(file), pattern).Select(hit => $"{file}: {hit.Value}"));
}
