using System.CommandLine;
using System.Security.Cryptography;
using Mirubato.Bench.Http;
using Mirubato.Bench.Reports;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench;

/// <summary><c>bench http</c>: every scenario of <see cref="HttpScenarios"/> against one server.</summary>
internal static class HttpVerb
{
    private const string SecretVariable = "MIRUBATO_BENCH_SECRET";

    private static readonly Option<string> Url = new("--url")
    {
        Description = "The server.",
        DefaultValueFactory = _ => "http://127.0.0.1:8787",
    };
    private static readonly Option<string?> Secret = new("--secret")
    {
        Description = $"The server's Auth__Secret; signs the users' tokens. Also read from {SecretVariable}.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(SecretVariable),
    };
    private static readonly Option<int> Users = Whole("--users", "Users the load is spread over.", 20, 1, 200_000);
    private static readonly Option<int> Concurrency = Whole("--concurrency", "Connections, each with one request at a time.", 32, 1, 1_000);
    private static readonly Option<double> Seconds = Time("--seconds", "How long each scenario is measured.", 5, 0.1);
    private static readonly Option<double> Warmup = Time("--warmup", "Seconds before that, not counted.", 2, 0);
    private static readonly Option<string?> Only = new("--only") { Description = "Some scenarios, separated by commas: " + Names };
    private static readonly Option<int> Seed = new("--seed") { Description = "Of the entries' content.", DefaultValueFactory = _ => 1 };
    private static readonly Option<FileInfo?> Json = new("--json") { Description = "Also write the figures to this file." };
    private static readonly Option<bool> AllowRemote = new("--allow-remote") { Description = "Allow another machine than this one as the target." };

    private static string Names => string.Join(", ", HttpScenarios.All.Select(scenario => scenario.Name));

    public static Command Create()
    {
        var verb = new Command("http", "Measure pushes, pulls, replays, status and batches in a closed loop. It leaves its users behind: use a scratch database.")
        {
            Url, Secret, Users, Concurrency, Seconds, Warmup, Only, Seed, Json, AllowRemote,
        };
        verb.SetAction(Run);
        return verb;
    }

    private static async Task<int> Run(ParseResult parsed, CancellationToken cancel)
    {
        try
        {
            var scenarios = Chosen(parsed.GetValue(Only));
            var run = new HttpRun(Options(parsed), TimeProvider.System);
            var report = await run.Run(scenarios, CommandLine(parsed), cancel);
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

    private static HttpOptions Options(ParseResult parsed) => new(
        Target.Parse(parsed.GetRequiredValue(Url), parsed.GetValue(AllowRemote)),
        parsed.GetValue(Secret) ?? throw new BenchFailure($"Pass --secret <the server's Auth__Secret>, or set {SecretVariable}."),
        parsed.GetValue(Users),
        parsed.GetValue(Concurrency),
        TimeSpan.FromSeconds(parsed.GetValue(Seconds)),
        TimeSpan.FromSeconds(parsed.GetValue(Warmup)))
    {
        Seed = parsed.GetValue(Seed),
        Run = RandomNumberGenerator.GetHexString(8, lowercase: true),
    };

    /// <exception cref="BenchFailure">A name that is no scenario.</exception>
    internal static IReadOnlyList<Scenario> Chosen(string? only)
    {
        if (only is null)
            return HttpScenarios.All;
        var names = only.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return names.Except(HttpScenarios.All.Select(scenario => scenario.Name)).FirstOrDefault() is { } unknown
            ? throw new BenchFailure($"--only '{unknown}' is no scenario. There are: {Names}.")
            : [.. HttpScenarios.All.Where(scenario => names.Contains(scenario.Name))];
    }

    // The figures are kept and published; the secret must not travel with them.
    private static string CommandLine(ParseResult parsed)
    {
        var secret = parsed.GetValue(Secret);
        var words = parsed.Tokens.Select(token => string.IsNullOrEmpty(secret) ? token.Value : token.Value.Replace(secret, "***", StringComparison.Ordinal));
        return string.Join(' ', words.Prepend("dotnet run -c Release --project Bench --"));
    }

    private static Option<int> Whole(string name, string description, int usual, int min, int max)
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
}
