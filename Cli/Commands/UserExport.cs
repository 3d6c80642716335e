using System.CommandLine;
using Mirubato.Cli.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Cli.Commands;

/// <summary>
/// <c>mirubato user export</c>: the lines that the user's own export has, from a server or from the store. A file gets its name only when
/// it is whole, so that an export which fails leaves the one before as it was.
/// </summary>
internal static class UserExport
{
    private static readonly Option<FileInfo?> Out = new("--out", "-o") { Description = "The file to write; left out: standard output." };

    private static readonly Option<bool> FromStore = new("--store")
    {
        Description = "Read the store itself, with the settings of the server. Over SQLite the server must be stopped.",
    };

    public static Command Create(Argument<string> user)
    {
        var command = new Command("export", "Everything of the user, as lines of JSON.") { user, Out, FromStore };
        command.SetAction(Screen.Action((parsed, screen, cancel) => Run(parsed, screen, parsed.GetRequiredValue(user), cancel)));
        return command;
    }

    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, string user, CancellationToken cancel)
    {
        if (parsed.GetValue(Out) is not { } file)
        {
            await using var lines = new ExportedLines(new TextStream(parsed.InvocationConfiguration.Output));
            await Write(parsed, user, lines, cancel);
            return ExitCode.Done;
        }

        await PrivateFiles.Replace(file, async part =>
        {
            await using var lines = new ExportedLines(part);
            await Write(parsed, user, lines, cancel);
        });
        file.Refresh();
        screen.Say($"Wrote {file}.", new { file = file.FullName, bytes = file.Length });
        return ExitCode.Done;
    }

    private static async Task Write(ParseResult parsed, string user, ExportedLines to, CancellationToken cancel)
    {
        if (parsed.GetValue(FromStore)) await StoreCommands.Run(parsed, (services, stop) => FromTheStore(services, user, to, stop), cancel);
        else
        {
            using var api = AdminApi.From(parsed);
            await api.CopyTo($"users/{AdminApi.Id(user)}/export", to, cancel);
        }

        if (!to.AreWhole) throw new CommandFailedException(ExitCode.Failed, "The export was cut off: it lacks its end line. Run it again.");
    }

    private static async Task<long> FromTheStore(IServiceProvider services, string user, Stream to, CancellationToken cancel)
    {
        if (!UsableId.Is(user) || !await ExportEndpoint.WriteTo(to, new UserId(user), services, cancel))
            throw new CommandFailedException(ExitCode.Failed, "There is no such user.");
        return 0;
    }
}
