using System.CommandLine;
using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;

namespace Mirubato.Bench;

/// <summary>What the verbs that put a server under load have in common.</summary>
internal static class LoadVerb
{
    private const string SecretVariable = "MIRUBATO_BENCH_SECRET";

    public static readonly Option<string> Url = new("--url")
    {
        Description = "The server.",
        DefaultValueFactory = _ => "http://127.0.0.1:8787",
    };
    private static readonly Option<string?> SecretOption = new("--secret")
    {
        Description = $"The server's Auth__Secret; signs the users' tokens. Also read from {SecretVariable}.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(SecretVariable),
    };
    public static readonly Option<double> Seconds = Time("--seconds", "How long each scenario is measured.", 5, 0.1);
    public static readonly Option<double> Warmup = Time("--warmup", "Seconds before that, not counted.", 2, 0);
    public static readonly Option<int> Seed = new("--seed") { Description = "Of the entries' content.", DefaultValueFactory = _ => 1 };
    private static readonly Option<FileInfo?> Json = new("--json") { Description = "Also write the figures to this file." };
    public static readonly Option<bool> AllowRemote = new("--allow-remote")
    {
        Description = "Allow another machine than this one as the target.",
    };

    private static readonly Option<int?> Pid = new("--pid")
    {
        Description = "The server's process on this machine, to read its CPU time and, where a scenario asks for it, its memory.",
    };
    private static readonly Option<int?> PostgresPid = new("--postgres-pid")
    {
        Description =
            "PostgreSQL's first process (the first line of postmaster.pid) on this machine, to read its CPU time and its children's.",
    };

    public static IEnumerable<Option> Options => [Url, SecretOption, Seconds, Warmup, Seed, Pid, PostgresPid, Json, AllowRemote];

    public static MeasuredProcesses Processes(ParseResult parsed) => new(parsed.GetValue(Pid), parsed.GetValue(PostgresPid));

    public static string Secret(ParseResult parsed) =>
        parsed.GetValue(SecretOption) ?? throw new BenchFailure($"Pass --secret <the server's Auth__Secret>, or set {SecretVariable}.");

    /// <summary>
    /// Runs, writes the figures where they were asked for, and turns whatever ends it early into a sentence. Answers the exit code.
    /// </summary>
    public static async Task<int> Run(ParseResult parsed, Func<string, Task<Report>> run, CancellationToken cancel)
    {
        try
        {
            var report = await run(CommandLine(parsed));
            if (parsed.GetValue(Json) is { } file)
                report.Write(file);
            return report.Failed ? 1 : 0;
        }
        catch (BenchFailure failure)
        {
            Screen.Error(failure.Message);
            return 1;
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            // Whatever the closed connections threw: it was Ctrl-C.
            Screen.Error("Interrupted.");
            return 130;
        }
    }

    /// <summary>The scenarios that <paramref name="only"/> names, or all.</summary>
    /// <exception cref="BenchFailure">A name that is no scenario.</exception>
    public static IReadOnlyList<T> Chosen<T>(IReadOnlyList<T> all, Func<T, string> name, string? only)
    {
        if (only is null)
            return all;
        var names = only.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return names.Except(all.Select(name)).FirstOrDefault() is { } unknown
            ? throw new BenchFailure($"--only '{unknown}' is no scenario. There are: {string.Join(", ", all.Select(name))}.")
            : [.. all.Where(scenario => names.Contains(name(scenario)))];
    }

    public static Option<int> Whole(string name, string description, int usual, int min, int max)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var value) && (value < min || value > max))
                result.AddError($"{name} {value} is out of range: {min} to {max}.");
        });
        return option;
    }

    private static Option<double> Time(string name, string description, double usual, double min)
    {
        const double Max = 3600;
        var option = new Option<double>(name) { Description = description, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && double.TryParse(result.Tokens[0].Value, out var value) && !(value >= min && value <= Max))
                result.AddError($"{name} {value} is out of range: {min} to {Max}.");
        });
        return option;
    }

    // The figures are kept and published; the secret must not travel with them.
    private static string CommandLine(ParseResult parsed)
    {
        var secret = parsed.GetValue(SecretOption);
        var words = parsed.Tokens.Select(
            token => string.IsNullOrEmpty(secret) ? token.Value : token.Value.Replace(secret, "***", StringComparison.Ordinal));
        return string.Join(' ', words.Prepend("dotnet run -c Release --project Bench --"));
    }
}
