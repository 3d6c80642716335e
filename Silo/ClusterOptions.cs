using System.Net;
using Mirubato.Gateway.Options;
using Npgsql;

namespace Mirubato.Silo;

/// <summary>
/// What a process needs to know to join its cluster, beyond <see cref="GatewayOptions"/>. Over SQLite the process is a cluster of one silo,
/// which chooses its own port on loopback; over PostgreSQL all processes with the same database and cluster id are one cluster.
/// </summary>
/// <param name="Postgres">Where the list of members is kept; null: this silo is alone.</param>
internal sealed record ClusterOptions(string? Postgres, SiloMode Mode, string ClusterId, string ServiceId)
{
    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    public required int GatewayPort { get; init; }

    public required TimeSpan IdleFor { get; init; }

    public required TimeSpan ProbeEvery { get; init; }

    public required int MissedProbes { get; init; }

    /// <summary>Null: what silos say to each other is neither encrypted nor authenticated.</summary>
    public ClusterTls? Tls { get; init; }

    public bool IsExposed => Postgres is not null && Mode is not SiloMode.Gateway && Tls is null && !IPAddress.IsLoopback(Address);

    /// <summary>Throws with every wrong setting at once.</summary>
    public static ClusterOptions Read(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration);
        var read = Read(settings);
        return settings.Errors.Count == 0 ? read : throw new InvalidOptionsException(settings.Errors);
    }

    public static IReadOnlyList<string> Errors(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration);
        Read(settings);
        return settings.Errors;
    }

    private static ClusterOptions Read(SettingsReader settings)
    {
        var postgres = settings.Text("Storage:Postgres");
        var mode = ParseMode(settings);
        var read = new ClusterOptions(
            postgres, mode, settings.Text("Silo:ClusterId") ?? "mirubato", settings.Text("Silo:ServiceId") ?? "mirubato-sync")
        {
            Address = ParseAddress(settings, postgres, mode),
            Port = settings.Int("Silo:Port", 11_111, 1, 65_535),
            GatewayPort = settings.Int("Silo:GatewayPort", 30_000, 1, 65_535),
            IdleFor = TimeSpan.FromMinutes(settings.Int("Silo:IdleMinutes", 15, 2, 1_440)),
            ProbeEvery = TimeSpan.FromSeconds(settings.Int("Silo:ProbeSeconds", 5, 1, 60)),
            MissedProbes = settings.Int("Silo:MissedProbes", 3, 1, 20),
            Tls = ClusterTls.Read(settings),
        };
        if (read.Port == read.GatewayPort)
        {
            settings.Wrong($"Silo:GatewayPort is {read.GatewayPort}, and so is Silo:Port: set two ports that are free.");
        }
        if (postgres is null) RefuseWhatNeedsACluster(settings, mode);
        settings.RefuseUnknown("Silo", "Silo:Tls");
        return read;
    }

    private static SiloMode ParseMode(SettingsReader settings)
    {
        var text = settings.Text("Silo:Mode") ?? nameof(SiloMode.Combined);
        if (Enum.GetNames<SiloMode>().Contains(text, StringComparer.OrdinalIgnoreCase)) return Enum.Parse<SiloMode>(text, ignoreCase: true);
        settings.Wrong(
            $"Silo:Mode is '{text}': set combined (clients and activations in one process), silo or gateway, or leave it out for "
            + $"combined.");
        return default;
    }

    /// <summary>
    /// Two hosts that both give out 127.0.0.1 would take each other for dead in turns. So loopback is assumed only where the database is on
    /// this machine, and then only processes of this machine can be members.
    /// </summary>
    private static IPAddress ParseAddress(SettingsReader settings, string? postgres, SiloMode mode)
    {
        if (settings.Text("Silo:Address") is not { } text)
        {
            if (postgres is not null && mode is not SiloMode.Gateway && FindRemoteHost(settings, postgres) is { } host)
                settings.Wrong(
                    $"Silo:Address is not set while the database is at '{host}': set the address under which other silos reach this "
                    + $"process, like Silo__Address=10.0.0.5. Without it the silo would be on loopback, which only a database on this "
                        + $"machine allows.");
            return IPAddress.Loopback;
        }

        if (IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
        {
            return address;
        }
        settings.Wrong(
            $"Silo:Address is '{text}': set the address (not a name, and not 0.0.0.0) under which others reach this process, like "
            + $"10.0.0.5.");
        return IPAddress.Loopback;
    }

    /// <summary>The first host of the connection string that is not this machine.</summary>
    private static string? FindRemoteHost(SettingsReader settings, string postgres)
    {
        try
        {
            var hosts = new NpgsqlConnectionStringBuilder(postgres).Host ?? "";
            return hosts.Split(
                ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(host => !IsThisMachine(host));
        }
        catch (ArgumentException)
        {
            settings.Wrong(
                "Storage:Postgres cannot be read (its value is not shown, it may hold a password): set it like "
                + "'Host=localhost;Database=mirubato;Username=mirubato;Password=…'.");
            return null;
        }
    }

    /// <param name="host">An address or a name, with or without a port, or the directory of a Unix socket.</param>
    private static bool IsThisMachine(string host) =>
        host[0] is '/' or '@'
        || (
            IPEndPoint.TryParse(host, out var at)
                ? IPAddress.IsLoopback(at.Address)
                : string.Equals(host.Split(':')[0], "localhost", StringComparison.OrdinalIgnoreCase));

    private static void RefuseWhatNeedsACluster(SettingsReader settings, SiloMode mode)
    {
        if (mode is not SiloMode.Combined)
            settings.Wrong(
                $"Silo:Mode is '{settings.Text("Silo:Mode")}' while Storage:Postgres is not set: a cluster of several processes keeps "
                    + "its data and its members in PostgreSQL. Set Storage:Postgres, or leave Silo:Mode out.");
        foreach (var name in (string[])["Silo:Address", "Silo:Port", "Silo:GatewayPort", "Silo:Tls:Certificate"])
        {
            if (settings.Text(name) is { } text)
                settings.Wrong(
                    $"{name} is '{text}' while Storage:Postgres is not set: over SQLite there is one silo, on a port of its own choice "
                    + $"on loopback. Set Storage:Postgres, or leave {name} out.");
        }
    }
}
