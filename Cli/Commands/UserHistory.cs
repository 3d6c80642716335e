using System.CommandLine;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary>
/// <c>mirubato user history</c>: the versions of one entity that are kept. It shows what the user wrote, which is written down.
/// </summary>
internal static class UserHistory
{
    public static readonly Argument<string> Type = new("type") { Description = "The entity's type, like logbook_entry." };

    public static readonly Argument<string> Entity = new("id") { Description = "The entity's id." };

    public static Command Create(Argument<string> user)
    {
        var command = new Command("history", "The newest 50 versions of an entity, with their documents.") { user, Type, Entity };
        command.SetAction(Screen.Action((parsed, screen, cancel) => Run(parsed, screen, parsed.GetRequiredValue(user), cancel)));
        return command;
    }

    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, string user, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var (type, entity) = (AdminApi.Id(parsed.GetRequiredValue(Type)), AdminApi.Id(parsed.GetRequiredValue(Entity)));
        var history = await api.Get($"users/{AdminApi.Id(user)}/history?type={type}&entity={entity}", cancel);
        screen.Table(
            history, ["version", "arrived", "device", "document"],
            history.List("versions").Select(version => new[]
            {
                version.Text("version") + (version.Flag("current") ? " (now)" : ""), version.Text("arrivedAt"), version.Text("deviceId"),
                version.Flag("deleted") ? "deleted" : version.Text("document"),
            }));
        return ExitCode.Done;
    }
}
