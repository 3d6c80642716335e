using System.CommandLine;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato node …</c>: the silos of the cluster, and emptying one before it is stopped.</summary>
internal static class NodeCommands
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(500);

    private static readonly Argument<string> Node = new("node") { Description = "The silo's name or address, as node list shows it." };

    private static readonly Option<int> Wait = new("--wait")
    {
        Description = "Seconds to wait until nothing is left on it; 0: do not wait.",
        DefaultValueFactory = _ => 60,
    };

    public static Command Create()
    {
        var list = new Command("list", "The silos, and how busy each is.");
        list.SetAction(Screen.Action(List));
        var drain = new Command("drain", "Send the silo's sockets and coordinators elsewhere; then its process can be stopped.")
        {
            Node, Wait,
        };
        drain.SetAction(Screen.Action(Drain));
        var resume = new Command("resume", "Let a silo that drains take clients again.") { Node };
        resume.SetAction(Screen.Action(Resume));
        return new Command("node", "Look at the silos of the cluster.") { list, drain, resume };
    }

    private static async Task<ExitCode> List(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var silos = await api.Get("silos", cancel);
        screen.Table(
            silos, ["name", "address", "status", "version", "ready", "draining", "sockets", "active users"],
            silos.List("silos").Concat(silos.List("gateways")).Select(silo => new[]
            {
                silo.Text("name"), silo.Text("address"), silo.Text("status"), silo.Text("version"), silo.Flag("ready") ? "yes" : "no",
                silo.Flag("drained") ? "drained" : silo.Flag("draining") ? "yes" : "", Figure(silo, "sockets"), Figure(silo, "activeUsers"),
            }));
        return ExitCode.Done;
    }

    private static async Task<ExitCode> Drain(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        var node = parsed.GetRequiredValue(Node);
        screen.Confirm(parsed, $"This sends the clients of {node} elsewhere.");
        using var api = AdminApi.From(parsed);
        var silo = await api.Post($"silos/{AdminApi.Id(node)}/drain", "drain", cancel);
        var patience = TimeSpan.FromSeconds(parsed.GetValue(Wait));
        var (time, began) = (TimeProvider.System, TimeProvider.System.GetTimestamp());
        while (!IsEmpty(silo) && time.GetElapsedTime(began) < patience)
        {
            await Task.Delay(PollEvery, cancel);
            silo = (await api.Get("silos", cancel)).List("silos").FirstOrDefault(one => Names(one, node));
        }

        if (!IsEmpty(silo) && patience > TimeSpan.Zero)
            throw new CommandFailedException(
                ExitCode.Failed,
                $"{node} drains and is not empty after {patience.TotalSeconds:0} s: wait longer with --wait, then stop it.");
        if (silo.ValueKind is JsonValueKind.Undefined) screen.Say($"{node} has left the cluster.", new { name = node, drained = true });
        else screen.Say(silo.Flag("drained") ? $"{node} is empty: stop its process." : $"{node} drains.", silo);
        return ExitCode.Done;
    }

    /// <summary>One that has left the list has ended.</summary>
    private static bool IsEmpty(JsonElement silo) => silo.ValueKind is JsonValueKind.Undefined || silo.Flag("drained");

    private static async Task<ExitCode> Resume(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        var node = parsed.GetRequiredValue(Node);
        using var api = AdminApi.From(parsed);
        screen.Say($"{node} takes clients again.", await api.Delete($"silos/{AdminApi.Id(node)}/drain", "resume", cancel));
        return ExitCode.Done;
    }

    private static bool Names(JsonElement silo, string node) => silo.Text("name") == node || silo.Text("address") == node;

    private static string? Figure(JsonElement silo, string name) =>
        silo.TryGetProperty("figures", out var figures) && figures.ValueKind is JsonValueKind.Object ? figures.Text(name) : null;
}
