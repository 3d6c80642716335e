using System.CommandLine;
using System.Security.Cryptography;
using Mirubato.Bench.Http;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench;

/// <summary><c>bench http</c>: every scenario of <see cref="HttpScenarios"/> against one server.</summary>
internal static class HttpVerb
{
    private static readonly Option<int> Users = LoadVerb.Whole("--users", "Users the load is spread over.", 20, 1, 200_000);
    private static readonly Option<int> Concurrency = LoadVerb.Whole(
        "--concurrency", "Connections, each with one request at a time.", 32, 1, 1_000);
    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Some scenarios, separated by commas: " + string.Join(", ", HttpScenarios.All.Select(scenario => scenario.Name)),
    };

    public static Command Create()
    {
        var verb = new Command(
            "http",
            "Measure pushes, pulls, replays, status and batches in a closed loop. It leaves its users behind: use a scratch database.")
        {
            Users, Concurrency, Only,
        };
        foreach (var option in LoadVerb.Options)
            verb.Options.Add(option);
        verb.SetAction((parsed, cancel) => LoadVerb.Run(
            parsed, command =>
                new HttpRun(Options(parsed), TimeProvider.System).Run(Chosen(parsed.GetValue(Only)), command, cancel), cancel));
        return verb;
    }

    /// <exception cref="BenchFailure">A name that is no scenario.</exception>
    internal static IReadOnlyList<Scenario> Chosen(string? only) => LoadVerb.Chosen(HttpScenarios.All, scenario => scenario.Name, only);

    private static HttpOptions Options(ParseResult parsed) => new(
        Target.Parse(parsed.GetRequiredValue(LoadVerb.Url), parsed.GetValue(LoadVerb.AllowRemote)),
        LoadVerb.Secret(parsed),
        parsed.GetValue(Users),
        parsed.GetValue(Concurrency),
        TimeSpan.FromSeconds(parsed.GetValue(LoadVerb.Seconds)),
        TimeSpan.FromSeconds(parsed.GetValue(LoadVerb.Warmup)))
    {
        Seed = parsed.GetValue(LoadVerb.Seed),
        Processes = LoadVerb.Processes(parsed),
        Run = RandomNumberGenerator.GetHexString(8, lowercase: true),
    };
}
