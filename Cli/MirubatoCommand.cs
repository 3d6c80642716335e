using System.CommandLine;
using Mirubato.Cli.Commands;

namespace Mirubato.Cli;

/// <summary>The whole command line on one screen.</summary>
internal static class MirubatoCommand
{
    public static RootCommand Create()
    {
        var root = new RootCommand("Looks after a Mirubato Sync server: asks a running one, or works on its store while none runs.")
        {
            DoctorCommand.Create(),
            StatusCommand.Create(),
            UserCommands.Create(),
            DeviceCommands.Create(),
            NodeCommands.Create(),
            TokenCommand.Create(),
            StoreCommands.Migrate(),
            StoreCommands.Sweep(),
            BackupCommands.Backup(),
            BackupCommands.Restore(),
            ImportCommands.Create(),
        };
        foreach (var option in Settings.Everywhere) root.Options.Add(option);
        return root;
    }

    /// <summary>Answers the exit code; see <see cref="ExitCode"/>.</summary>
    public static async Task<int> Run(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Create().Parse(args);
        var invocation = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
        var code = await parsed.InvokeAsync(invocation);
        return parsed.Errors.Count > 0 ? (int)ExitCode.Usage : code;
    }
}
