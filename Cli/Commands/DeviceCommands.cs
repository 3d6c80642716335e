using System.CommandLine;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato device …</c>: who takes part, how far behind, and turning one away.</summary>
internal static class DeviceCommands
{
    private static readonly Argument<string> Device = new("device") { Description = "The device's id, as device list shows it." };

    public static Command Create()
    {
        var list = new Command("list", "The user's devices, and how far behind each is.") { UserCommands.User };
        list.SetAction(Screen.Action(List));
        var evict = new Command("evict", "Turn a device away: its requests are 403 and its sockets close.") { UserCommands.User, Device };
        evict.SetAction(Screen.Action(Evict));
        return new Command("device", "Look at a user's devices.") { list, evict };
    }

    public static void Print(Screen screen, JsonElement user) => screen.Table(
        user, ["device", "last seen", "at revision", "behind", "live", "revoked"],
        user.List("devices").Select(device => new[]
        {
            device.Text("deviceId"), device.Text("lastSeenAt"), device.Text("lastSeq"), device.Text("lag"),
            device.Flag("live") ? "yes" : "", device.Flag("revoked") ? device.Text("revokedAt") ?? "yes" : "",
        }));

    private static async Task<ExitCode> List(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var user = await api.Get($"users/{AdminApi.Id(parsed.GetRequiredValue(UserCommands.User))}", cancel);
        if (screen.IsJson) screen.Json(new { devices = user.GetProperty("devices") });
        else Print(screen, user);
        return ExitCode.Done;
    }

    private static async Task<ExitCode> Evict(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        var (user, device) = (parsed.GetRequiredValue(UserCommands.User), parsed.GetRequiredValue(Device));
        screen.Confirm(parsed, $"This turns the device {device} of {user} away until the user allows it again.");
        using var api = AdminApi.From(parsed);
        await api.Delete($"users/{AdminApi.Id(user)}/devices/{AdminApi.Id(device)}", "revoke", cancel);
        screen.Say($"{device} is turned away.", new { user, device, revoked = true });
        return ExitCode.Done;
    }
}
