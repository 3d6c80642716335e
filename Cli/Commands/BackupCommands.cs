using System.CommandLine;
using Mirubato.Cli.Backups;
using Mirubato.Grains;

namespace Mirubato.Cli.Commands;

/// <summary>
/// <c>mirubato backup</c> and <c>restore</c>. A restore ends with new epochs, without which devices would trust lost revisions.
/// </summary>
internal static class BackupCommands
{
    private static readonly Argument<FileInfo> File = new("file") { Description = "The file of the backup." };

    public static Command Backup()
    {
        var command = new Command("backup", "Write the whole store to a file, while the server runs.") { File };
        command.SetAction(Screen.Action(async (parsed, screen, cancel) =>
        {
            var file = parsed.GetRequiredValue(File);
            if (file.Exists) throw new CommandFailedException(ExitCode.Usage, $"{file} is there already: name another file.");
            await Write(StoreBackup.From(parsed.ServerOptions().Storage), file, cancel);
            file.Refresh();
            screen.Say($"Wrote {file} ({file.Length:N0} bytes).", new { file = file.FullName, bytes = file.Length });
            return ExitCode.Done;
        }));
        return command;
    }

    public static Command Restore()
    {
        var command = new Command(
            "restore", "Put a backup in the place of the store, and give every user a new epoch. All servers must be stopped.") { File };
        command.SetAction(Screen.Action(async (parsed, screen, cancel) =>
        {
            var file = parsed.GetRequiredValue(File);
            if (!file.Exists) throw new CommandFailedException(ExitCode.Usage, $"There is no file {file}.");
            screen.Confirm(parsed, $"This replaces the store by {file}.");
            var kept = await StoreBackup.From(parsed.ServerOptions().Storage).Restore(file, cancel);
            var users = await StoreCommands.Run(parsed, Administration.BumpEpochs, cancel);
            screen.Say(
                $"Restored. {users} users have a new epoch; their devices resynchronize."
                    + (kept is null ? "" : $" What was there before is {kept}."),
                new { users, before = kept });
            return ExitCode.Done;
        }));
        return command;
    }

    /// <summary>Half a backup must not be taken for one.</summary>
    private static async Task Write(StoreBackup store, FileInfo file, CancellationToken cancel)
    {
        try
        {
            await store.Write(file, cancel);
        }
        catch
        {
            file.Delete();
            throw;
        }
    }
}
