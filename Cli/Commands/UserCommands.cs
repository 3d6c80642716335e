using System.CommandLine;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato user …</c>: find one user's trouble, and mend it.</summary>
internal static class UserCommands
{
    public static readonly Argument<string> User = new("user") { Description = "The sub of the user's tokens." };

    private static readonly Option<bool> Content = new("--content") { Description = "Show ids and documents of conflicts, too." };

    private static readonly Argument<FileInfo> File = new("file") { Description = "An export: lines of JSON." };

    public static Command Create()
    {
        var user = new Command("user", "Look at a user, and mend.")
        {
            Verb("show", "Head, counts, devices, connections, conflicts.", Show, Content),
            Act("resync", "A new epoch: every device replaces what it has by what the server has, and pushes what it has not sent."),
            Act("disconnect", "Close the user's sockets; they come back."),
            Act("sign-out", "Refuse every token issued so far."),
            Act("erase", "Erase everything of the user. This cannot be undone."),
            UserExport.Create(User),
            UserImport.Create(User, File),
            UserHistory.Create(User),
            UserRestore.Create(User),
            UserRewind.Create(User),
        };
        return user;
    }

    private static Command Verb(
        string name, string says, Func<ParseResult, Screen, CancellationToken, Task<ExitCode>> run, Option option)
    {
        var command = new Command(name, says) { User, option };
        command.SetAction(Screen.Action(run));
        return command;
    }

    private static Command Act(string action, string says)
    {
        var command = new Command(action, says) { User };
        command.SetAction(Screen.Action(async (parsed, screen, cancel) =>
        {
            var user = parsed.GetRequiredValue(User);
            screen.Confirm(parsed, $"{says} This is about the user {user}.");
            using var api = AdminApi.From(parsed);
            var answer = await api.Post($"users/{AdminApi.Id(user)}/{action}", action, cancel);
            screen.Say($"Done: {action} of {user}.", answer);
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task<ExitCode> Show(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var query = parsed.GetValue(Content) ? "?content=true" : "";
        var user = await api.Get($"users/{AdminApi.Id(parsed.GetRequiredValue(User))}{query}", cancel);
        var entities = user.GetProperty("entities");
        screen.Table(
            user, ["what", "now"],
            [
                ["user", user.Text("user")], ["head", user.Text("head")], ["epoch", user.Text("epoch")],
                ["live / tombstones", $"{entities.Text("live")} / {entities.Text("tombstones")}"], ["bytes", entities.Text("bytes")],
                ["last sync", user.Text("lastSyncAt")], ["coordinator", user.Text("coordinator")],
                ["open connections", $"{user.List("connections").Count()}"], ["recent conflicts", $"{user.List("conflicts").Count()}"],
            ]);
        if (!screen.IsJson) DeviceCommands.Print(screen, user);
        return ExitCode.Done;
    }
}
