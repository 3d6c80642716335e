using System.CommandLine;
using System.Text;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary>
/// <c>mirubato user rewind</c>: takes back what arrived after a time, page after page. Repeated, it finds nothing left to do.
/// </summary>
internal static class UserRewind
{
    private static readonly Argument<string> To = new("time") { Description = "To how it stood then, like 2026-11-26T10:00:00Z." };

    private static readonly Option<string?> Device = new("--device")
    {
        Description = "Only what this device did; what others changed later stays.",
    };

    private static readonly Option<string[]> Types = new("--type")
    {
        Description = "Only entities of this type; may be repeated.",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Show what it would do, and change nothing." };

    public static Command Create(Argument<string> user)
    {
        var command = new Command("rewind", "Take back what arrived after a time. Devices hear of it; it can itself be rewound.")
        {
            user, To, Device, Types, DryRun,
        };
        command.SetAction(Screen.Action((parsed, screen, cancel) => Run(parsed, screen, parsed.GetRequiredValue(user), cancel)));
        return command;
    }

    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, string user, CancellationToken cancel)
    {
        var (to, dryRun) = (parsed.GetRequiredValue(To), parsed.GetValue(DryRun));
        if (!dryRun) screen.Confirm(parsed, $"This takes back what {parsed.GetValue(Device) ?? "anybody"} changed of {user} after {to}.");
        using var api = AdminApi.From(parsed);
        var items = new List<JsonElement>();
        string? after = null;
        do
        {
            var wanted = new { to, device = parsed.GetValue(Device), types = parsed.GetValue(Types), dryRun, after };
            using var body = new StringContent(JsonSerializer.Serialize(wanted), Encoding.UTF8, "application/json");
            var page = await api.Post($"users/{AdminApi.Id(user)}/rewind", "rewind", cancel, body);
            items.AddRange(page.List("items"));
            after = page.Flag("hasMore") ? page.Text("next") : null;
        }
        while (after is not null);

        screen.Table(
            JsonSerializer.SerializeToElement(new { user, dryRun, items }), ["what", "entity", "version"],
            items.Select(item => new[]
            {
                item.Text("action"), $"{item.Text("entityType")} {item.Text("entityId")}", item.Text("version"),
            }));
        return items.Exists(item => item.Text("action") is "moved" or "refused") ? ExitCode.Failed : ExitCode.Done;
    }
}
