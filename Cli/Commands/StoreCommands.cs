using System.CommandLine;
using Mirubato.Gateway;
using Mirubato.Gateway.Options;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Silo;

namespace Mirubato.Cli.Commands;

/// <summary>What is done directly on the store, with the settings of the server. Over SQLite the server must be stopped.</summary>
internal static class StoreCommands
{
    public static Command Migrate() => Act(
        "migrate", "Bring the schema up to date, as each start does.", Administration.Migrate, "schema",
        version => $"The schema is of version {version}.");

    public static Command Sweep() => Act(
        "sweep", "Remove what is past its age, as a running server does once an hour.", Administration.Sweep, "removed",
        removed => $"Removed or stripped {removed} rows.");

    /// <exception cref="CommandFailedException">The settings are wrong, or the store cannot be reached.</exception>
    public static async Task<long> Run(
        ParseResult parsed, Func<IServiceProvider, CancellationToken, Task<long>> act, CancellationToken cancel)
    {
        try
        {
            await using var app = GatewayHost.Build(parsed.ServerArguments(), SiloHost.Compose, ClusterOptions.Errors);
            return await act(app.Services, cancel);
        }
        catch (InvalidOptionsException wrong)
        {
            throw new CommandFailedException(ExitCode.Failed, wrong.Message);
        }
        catch (StoreUnavailableException away)
        {
            throw new CommandFailedException(
                ExitCode.Unreachable, $"The store cannot be reached ({away.Reason}): check Storage:Postgres or Storage:SqlitePath; "
                    + "mirubato doctor says more.");
        }
    }

    private static Command Act(
        string name, string says, Func<IServiceProvider, CancellationToken, Task<long>> act, string member, Func<long, string> done)
    {
        var command = new Command(name, says);
        command.SetAction(Screen.Action(async (parsed, screen, cancel) =>
        {
            var result = await Run(parsed, act, cancel);
            screen.Say(done(result), new Dictionary<string, long> { [member] = result });
            return ExitCode.Done;
        }));
        return command;
    }
}
