using System.CommandLine;
using System.Text.Json;
using Mirubato.Bench.Reports;

namespace Mirubato.Bench;

/// <summary><c>bench compare a.json b.json</c>: two runs side by side.</summary>
internal static class CompareVerb
{
    private static readonly Argument<FileInfo> First = new("a") { Description = "The figures to compare with, as written by --json." };
    private static readonly Argument<FileInfo> Second = new("b") { Description = "The figures to judge." };

    public static Command Create()
    {
        var verb = new Command("compare", "Print two runs side by side, with the ratio b/a.") { First, Second };
        verb.Aliases.Add("--compare");
        verb.SetAction(Run);
        return verb;
    }

    private static int Run(ParseResult parsed) =>
        Try(() => Comparison.Print(Screen.Out, Read(parsed.GetRequiredValue(First)), Read(parsed.GetRequiredValue(Second))));

    /// <summary>Turns a failure into a sentence. Answers the exit code.</summary>
    public static int Try(Action act)
    {
        try
        {
            act();
            return 0;
        }
        catch (BenchFailure failure)
        {
            Screen.Error(failure.Message);
            return 1;
        }
    }

    /// <exception cref="BenchFailure">It cannot be read.</exception>
    public static Report Read(FileInfo file)
    {
        try
        {
            return Report.Read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BenchFailure($"{file} cannot be read as figures written by --json ({e.Message}).");
        }
    }
}
