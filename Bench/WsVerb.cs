using System.CommandLine;
using System.Security.Cryptography;
using Mirubato.Bench.Http;
using Mirubato.Bench.Ws;

namespace Mirubato.Bench;

/// <summary><c>bench ws</c>: every scenario of <see cref="WsScenarios"/> against one server, or the fan-out across two.</summary>
internal static class WsVerb
{
    private static readonly Option<string?> SecondUrl = new("--second-url")
    {
        Description = "Another gateway over the same store: the fan-out goes from the first to it.",
    };
    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Some scenarios, separated by commas: " + string.Join(", ", WsScenarios.All.Select(scenario => scenario.Name)),
    };

    public static Command Create()
    {
        var verb = new Command(
            "ws",
            "Measure fan-out, mutations, connections and catch-up over WebSockets. It leaves its users behind: use a scratch database.")
        {
            SecondUrl, Only,
        };
        foreach (var option in LoadVerb.Options)
            verb.Options.Add(option);
        verb.SetAction((parsed, cancel) => LoadVerb.Run(parsed, command => Run(parsed, command, cancel), cancel));
        return verb;
    }

    private static Task<Reports.Report> Run(ParseResult parsed, string command, CancellationToken cancel)
    {
        var options = Options(parsed);
        return new WsRun(options).Run(Chosen(parsed.GetValue(Only), options), command, cancel);
    }

    /// <summary>What was asked for; else all that can be measured with what is given.</summary>
    /// <exception cref="BenchFailure">A name that is no scenario, or one that cannot be.</exception>
    internal static IReadOnlyList<WsScenario> Chosen(string? only, WsOptions options)
    {
        var chosen = LoadVerb.Chosen(WsScenarios.All, scenario => scenario.Name, only);
        if (only is null)
            return [.. chosen.Where(scenario =>
                (scenario.IsFanOut || options.Second is null) && (options.Processes.Server is not null || !scenario.ReadsMemory))];
        if (options.Second is not null && chosen.FirstOrDefault(scenario => !scenario.IsFanOut) is { } single)
            throw new BenchFailure($"{single.Name} has no use for --second-url: only the fan-out goes from one gateway to another.");
        return chosen;
    }

    private static WsOptions Options(ParseResult parsed)
    {
        var remote = parsed.GetValue(LoadVerb.AllowRemote);
        return new WsOptions(
            Plain(Target.Parse(parsed.GetRequiredValue(LoadVerb.Url), remote)),
            parsed.GetValue(SecondUrl) is { } second ? Plain(Target.Parse(second, remote)) : null,
            LoadVerb.Secret(parsed),
            TimeSpan.FromSeconds(parsed.GetValue(LoadVerb.Seconds)),
            TimeSpan.FromSeconds(parsed.GetValue(LoadVerb.Warmup)))
        {
            Time = TimeProvider.System,
            Seed = parsed.GetValue(LoadVerb.Seed),
            Run = RandomNumberGenerator.GetHexString(8, lowercase: true),
            Processes = LoadVerb.Processes(parsed),
        };
    }

    private static Target Plain(Target target) =>
        target.IsTls
            ? throw new BenchFailure($"{target.Url}: the ws verb speaks plain http only; measure behind the proxy that ends TLS.")
            : target;
}
