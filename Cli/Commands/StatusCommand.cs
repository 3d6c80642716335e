using System.CommandLine;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato status</c>: the cluster on one screen.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var command = new Command("status", "Show whether the cluster is healthy, and how busy it is.");
        command.SetAction(Screen.Action(Run));
        return command;
    }

    /// <summary>An unhealthy cluster ends with exit code 1, so that a script can ask.</summary>
    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var status = await api.Get("status", cancel);
        var (figures, store) = (status.GetProperty("figures"), status.GetProperty("store"));
        screen.Table(
            status, ["what", "now"],
            [
                ["status", status.Text("status")], ["store", $"{store.Text("kind")} {store.Text("trouble")}"],
                ["silos ready / draining / all", $"{status.Text("silosReady")} / {status.Text("silosDraining")} / {status.Text("silos")}"],
                ["sockets", figures.Text("sockets")], ["active users", figures.Text("activeUsers")],
                ["operations a second", figures.Text("operationsPerSecond")], ["conflicts a second", figures.Text("conflictsPerSecond")],
                ["faults a second", figures.Text("faultsPerSecond")], ["commit p99", Latency(figures, "commit")],
                ["fan-out p99", Latency(figures, "fan_out")],
            ]);
        return status.Text("status") == "unhealthy" ? ExitCode.Failed : ExitCode.Done;
    }

    private static string Latency(System.Text.Json.JsonElement figures, string operation) =>
        figures.TryGetProperty("latency", out var all) && all.TryGetProperty(operation, out var one) ? $"{one.Text("p99")} s" : "–";
}
