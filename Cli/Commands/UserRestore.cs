using System.CommandLine;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato user restore</c>: stores one version again as the newest change, as the user could.</summary>
internal static class UserRestore
{
    private static readonly Argument<long> Version = new("version") { Description = "The version, as user history shows it." };

    public static Command Create(Argument<string> user)
    {
        var command = new Command("restore", "Store a version of an entity again, on top of whatever there is. Devices hear of it.")
        {
            user, UserHistory.Type, UserHistory.Entity, Version,
        };
        command.SetAction(Screen.Action((parsed, screen, cancel) => Run(parsed, screen, parsed.GetRequiredValue(user), cancel)));
        return command;
    }

    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, string user, CancellationToken cancel)
    {
        var (type, entity) = (parsed.GetRequiredValue(UserHistory.Type), parsed.GetRequiredValue(UserHistory.Entity));
        var version = parsed.GetRequiredValue(Version);
        screen.Confirm(parsed, $"This stores version {version} of {type} {entity} of the user {user} again.");
        using var api = AdminApi.From(parsed);
        var answer = await api.Post(
            $"users/{AdminApi.Id(user)}/history/{AdminApi.Id(type)}/{AdminApi.Id(entity)}/{version}/restore", "restore", cancel);
        var result = answer.List("results").FirstOrDefault();
        var status = result.ValueKind is JsonValueKind.Undefined ? "unchanged" : result.Text("status");
        screen.Say($"Done: {type} {entity} is as in version {version} ({status}).", answer);
        return status is "refused" or "conflict" ? ExitCode.Failed : ExitCode.Done;
    }
}
