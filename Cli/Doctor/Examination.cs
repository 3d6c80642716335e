using Mirubato.Gateway.Options;

namespace Mirubato.Cli.Doctor;

/// <summary>Every check of an installation, in the order in which one would look. Nothing is changed.</summary>
internal static class Examination
{
    /// <summary>What is found, as it is found. A check that fails itself is a red line, and the next ones go on.</summary>
    public static async IAsyncEnumerable<Finding> Run(Installation installation)
    {
        var (options, findings) = ConfigurationCheck.Run(installation);
        foreach (var finding in findings) yield return finding;
        foreach (var check in Checks(installation, options))
        {
            foreach (var finding in await Guarded(check)) yield return finding;
        }
    }

    private static IEnumerable<Func<Task<IReadOnlyList<Finding>>>> Checks(Installation installation, GatewayOptions? options)
    {
        if (options is not null)
        {
            yield return () => Task.FromResult(MachineChecks.Run(installation, options));
            if (options.Storage.Postgres is { } postgres)
            {
                yield return () => PostgresChecks.Run(installation, postgres);
                yield return () => SiloChecks.Run(installation, postgres);
            }
            else yield return () => SqliteChecks.Run(options.Storage.SqlitePath);
        }

        if (installation.PublicUrl is { } url)
        {
            yield return () => HttpChecks.Run(installation, url);
            yield return () => SocketCheck.Run(installation, url, options);
        }
    }

    private static async Task<IReadOnlyList<Finding>> Guarded(Func<Task<IReadOnlyList<Finding>>> check)
    {
        try
        {
            return await check();
        }
        catch (Exception broken)
        {
            return [Finding.Bad("doctor", $"A check failed itself: {broken.Message}", "Tell us what it says, with the version.")];
        }
    }
}
