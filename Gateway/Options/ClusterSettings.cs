using System.Net;

namespace Mirubato.Gateway.Options;

internal enum SiloMode
{
    /// <summary>Serves clients, and users' activations.</summary>
    Combined,

    /// <summary>Holds activations only.</summary>
    Silo,

    /// <summary>Serves clients only, as a client of the cluster.</summary>
    Gateway,
}

/// <summary>
/// What a process of an Orleans cluster needs to know beyond <see cref="GatewayOptions"/>; only the silo's host reads it. It stands here
/// because Silo/ is not built everywhere and what is wrong with a setting must be said well everywhere.
/// </summary>
internal sealed record ClusterSettings(string Postgres, SiloMode Mode, string ClusterId, string ServiceId)
{
    public required IPAddress Address { get; init; }

    public required int Port { get; init; }

    public required int GatewayPort { get; init; }

    public required TimeSpan ResponseWithin { get; init; }

    public required TimeSpan IdleFor { get; init; }

    public required TimeSpan ProbeEvery { get; init; }

    public required int MissedProbes { get; init; }

    /// <summary>Throws with every wrong setting at once.</summary>
    public static ClusterSettings Read(IConfiguration configuration, IHostEnvironment environment, GatewayOptions options)
    {
        var settings = new SettingsReader(configuration);
        var postgres = options.Storage.Postgres;
        if (postgres is null)
            settings.Wrong("Storage:Postgres is not set: a cluster keeps its members and its data in PostgreSQL. Set it like 'Host=db;Database=mirubato;Username=mirubato;Password=…'; for SQLite run Mirubato.Gateway instead.");
        var read = new ClusterSettings(postgres ?? "", ModeOf(settings), settings.Text("Silo:ClusterId") ?? "mirubato", settings.Text("Silo:ServiceId") ?? "mirubato-sync")
        {
            Address = AddressOf(settings, environment.IsProduction()),
            Port = settings.Int("Silo:Port", 11_111, 1, 65_535),
            GatewayPort = settings.Int("Silo:GatewayPort", 30_000, 1, 65_535),
            ResponseWithin = TimeSpan.FromSeconds(settings.Int("Silo:ResponseSeconds", 5, 1, 60)),
            IdleFor = TimeSpan.FromMinutes(settings.Int("Silo:IdleMinutes", 15, 2, 1_440)),
            ProbeEvery = TimeSpan.FromSeconds(settings.Int("Silo:ProbeSeconds", 5, 1, 60)),
            MissedProbes = settings.Int("Silo:MissedProbes", 3, 1, 20),
        };
        if (read.Port == read.GatewayPort) settings.Wrong($"Silo:GatewayPort is {read.GatewayPort}, and so is Silo:Port: set two ports that are free.");
        settings.RefuseUnknown("Silo");
        return settings.Errors.Count == 0 ? read : throw new InvalidOptionsException(settings.Errors);
    }

    private static SiloMode ModeOf(SettingsReader settings)
    {
        var text = settings.Text("Silo:Mode") ?? nameof(SiloMode.Combined);
        if (Enum.GetNames<SiloMode>().Contains(text, StringComparer.OrdinalIgnoreCase)) return Enum.Parse<SiloMode>(text, ignoreCase: true);
        settings.Wrong($"Silo:Mode is '{text}': set combined (clients and activations in one process), silo or gateway, or leave it out for combined.");
        return default;
    }

    private static IPAddress AddressOf(SettingsReader settings, bool production)
    {
        var text = settings.Text("Silo:Address");
        if (text is null && production)
            settings.Wrong("Silo:Address is not set: in Production set the address under which other silos and gateways reach this process, like Silo__Address=10.0.0.5.");
        if (text is null) return IPAddress.Loopback;
        if (IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)) return address;
        settings.Wrong($"Silo:Address is '{text}': set the address (not a name, and not 0.0.0.0) under which others reach this process, like 10.0.0.5.");
        return IPAddress.Loopback;
    }
}
