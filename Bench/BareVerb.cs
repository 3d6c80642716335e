using System.CommandLine;
using Mirubato.Bench.Bare;
using Mirubato.Bench.Reports;

namespace Mirubato.Bench;

/// <summary><c>bench bare</c>: a server to compare with, until Ctrl-C.</summary>
internal static class BareVerb
{
    private static readonly Option<string> Url = new("--url")
    {
        Description = "Where to listen.",
        DefaultValueFactory = _ => "http://127.0.0.1:8788",
    };

    public static Command Create()
    {
        var verb = new Command(
            "bare",
            $"Serve what the framework alone can do. http runs against it with --only {string.Join(',', BareServer.HttpScenarios)}, "
            + $"ws with --only {string.Join(',', BareServer.WsScenarios)}.")
        {
            Url,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            await using var server = BareServer.Create(parsed.GetRequiredValue(Url));
            await server.StartAsync(cancel);
            Screen.Say($"Bare server at {parsed.GetRequiredValue(Url)}. Ctrl-C ends it.");
            var ended = new TaskCompletionSource();
            using var end = cancel.Register(ended.SetResult);
            await ended.Task;
            await server.StopAsync(CancellationToken.None);
        });
        return verb;
    }
}
