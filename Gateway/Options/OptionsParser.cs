using System.Globalization;
using System.Net;
using System.Text;

namespace Mirubato.Gateway.Options;

/// <summary>Turns configuration into <see cref="GatewayOptions"/>, or says everything that is wrong with it.</summary>
internal static class OptionsParser
{
    public const int SecretBytesMin = 32;
    public const int AdminSecretBytesMin = 24;

    private static readonly string[] Sections = ["Auth", "Admin", "Storage", "Cors", "Limits", "Demo", "History", "Merge"];

    public static GatewayOptions Read(IConfiguration configuration, IHostEnvironment environment, params IReadOnlyList<string> others)
    {
        var options = Parse(configuration, environment, others);
        if (options.Auth is not { Secret: null, Authority: null }) return options;

        // Last, because it writes a file: a start that fails leaves nothing behind.
        var secret = DevelopmentSecret.In(options.Storage.DataDirectory);
        return options with { Auth = options.Auth with { Secret = secret, Generated = true } };
    }

    /// <summary>The same, and nothing is written: where a secret would be made there is none.</summary>
    public static GatewayOptions Parse(IConfiguration configuration, IHostEnvironment environment, params IReadOnlyList<string> others)
    {
        var settings = new SettingsReader(configuration);
        var storage = Storage(settings);
        var auth = Auth(settings, environment.IsProduction());
        var origins = Origins(settings, environment.IsProduction());
        var limits = Limits(settings);
        var quotas = Quotas(settings);
        var proxies = TrustedProxies(settings);
        var admin = Admin(settings);
        var demo = Demo(settings, environment.IsProduction(), auth);
        settings.RefuseUnknown(Sections);
        foreach (var error in others) settings.Wrong(error);
        if (settings.Errors.Count > 0) throw new InvalidOptionsException(settings.Errors);
        return new GatewayOptions(auth, storage, origins, limits, quotas, proxies, demo) { Admin = admin };
    }

    private static StorageOptions Storage(SettingsReader settings)
    {
        var postgres = settings.Text("Storage:Postgres");
        var sqlite = settings.Text("Storage:SqlitePath");
        if (postgres is not null && sqlite is not null)
            settings.Wrong(
                $"Storage:SqlitePath is '{sqlite}' while Storage:Postgres is set too: keep the one to store in and remove the other.");
        if (postgres is not null && !postgres.Contains('=', StringComparison.Ordinal))
            settings.Wrong(
                "Storage:Postgres is no connection string (its value is not shown, it may hold a password): set it like "
                + "'Host=localhost;Database=mirubato;Username=mirubato;Password=…'.");
        return new StorageOptions(postgres, sqlite ?? Path.Combine("data", "mirubato.db"));
    }

    private static AuthOptions Auth(SettingsReader settings, bool production)
    {
        var secret = settings.Text("Auth:Secret");
        var authority = settings.Text("Auth:Authority");
        if (secret is not null && Encoding.UTF8.GetByteCount(secret) is var bytes and < SecretBytesMin)
            settings.Wrong(
                $"Auth:Secret is {bytes} bytes long: set at least {SecretBytesMin}, for instance the output of 'openssl rand -base64 48'.");
        if (authority is not null && !(Uri.TryCreate(authority, UriKind.Absolute, out var uri) && IsSafe(uri, production)))
            settings.Wrong(
                $"Auth:Authority is '{authority}': set the https:// address of the OpenID provider"
                + (production ? "." : " (http:// only on this machine)."));
        if (secret is not null && authority is not null)
            settings.Wrong(
                $"Auth:Authority is '{authority}' while Auth:Secret is set too: keep the one that signs your tokens and remove the other.");
        var audience = settings.Text("Auth:Audience");
        if (authority is not null && audience is null)
            settings.Wrong(
                $"Auth:Audience is not set while Auth:Authority is '{authority}': set the audience (aud) of this server's tokens as the "
                + $"provider names it. Without it, tokens for the provider's other applications would count here.");
        if (secret is null && authority is null && production)
            settings.Wrong(
                "Auth:Secret is not set: in Production set it (at least 32 bytes, as environment variable Auth__Secret), or set "
                + "Auth:Authority to your OpenID provider.");
        return new AuthOptions(secret, authority, settings.Text("Auth:Issuer"), audience, Generated: false);
    }

    private static AdminOptions Admin(SettingsReader settings)
    {
        var (secret, role) = (AdminSecret(settings), AdminRole(settings));
        return new AdminOptions(secret, role, AdminPort(settings, secret is not null || role is not null));
    }

    private static AdminRole? AdminRole(SettingsReader settings)
    {
        var (role, claim) = (settings.Text("Admin:Role"), settings.Text("Admin:RoleClaim"));
        if (role is null && claim is not null)
            settings.Wrong(
                $"Admin:RoleClaim is '{claim}' while Admin:Role is not set: set the value that the claim of an operator has, or leave "
                + $"both out.");
        return role is null ? null : new AdminRole(claim ?? "roles", role);
    }

    private static string? AdminSecret(SettingsReader settings)
    {
        var secret = settings.Text("Admin:Secret");
        if (secret is not null && Encoding.UTF8.GetByteCount(secret) is var bytes and < AdminSecretBytesMin)
            settings.Wrong(
                $"Admin:Secret is {bytes} bytes long: set at least {AdminSecretBytesMin}, for instance the output of 'openssl rand "
                + $"-base64 36', or leave it out to have no pages for operators.");
        return secret;
    }

    private static int? AdminPort(SettingsReader settings, bool isOn)
    {
        if (settings.Text("Admin:Port") is not { } text) return null;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65_535)
            settings.Wrong(
                $"Admin:Port is '{text}': set a whole number from 1 to 65535, or leave it out to have the pages for operators where "
                + $"everything is.");
        else if (!isOn)
            settings.Wrong(
                $"Admin:Port is '{text}' while neither Admin:Secret nor Admin:Role is set: without either there are no pages for "
                + $"operators; set one, or leave Admin:Port out.");
        return port;
    }

    private static bool IsSafe(Uri authority, bool production) =>
        authority.Scheme == Uri.UriSchemeHttps || (!production && authority is { Scheme: "http", IsLoopback: true });

    private static AllowedOrigins Origins(SettingsReader settings, bool production)
    {
        var origins = settings.List("Cors:Origins");
        foreach (var origin in origins.Where(origin => AllowedOrigins.Exact(origin) is null))
            settings.Wrong(
                $"Cors:Origins holds '{origin}': write an origin as a browser sends it, like https://app.example.com or "
                + $"capacitor://localhost (no path, no closing slash, no wildcard, no usual port, not null).");
        if (production && origins.Count == 0)
            settings.Wrong(
                "Cors:Origins is not set: in Production list the origins of your web app, like Cors__Origins__0=https://app.example.com.");
        return new AllowedOrigins(origins.Select(AllowedOrigins.Exact).OfType<string>(), localhostToo: !production && origins.Count == 0);
    }

    private static LimitOptions Limits(SettingsReader settings)
    {
        var usual = new LimitOptions();
        return new LimitOptions
        {
            RequestsPerSecond = settings.Int("Limits:RequestsPerSecond", usual.RequestsPerSecond, 1, 10_000_000),
            RequestBurst = settings.Int("Limits:RequestBurst", usual.RequestBurst, 1, 100_000_000),
            RefusedTokensPerMinute = settings.Int("Limits:RefusedTokensPerMinute", usual.RefusedTokensPerMinute, 1, 10_000_000),
            BodyBudgetBytes = settings.Number("Limits:BodyBudgetBytes", usual.BodyBudgetBytes, 40L * 1024 * 1024, 1L << 40),
            LargeBodiesPerUser = settings.Int("Limits:LargeBodiesPerUser", usual.LargeBodiesPerUser, 1, 1_000),
            BodySeconds = settings.Int("Limits:BodySeconds", usual.BodySeconds, 1, 3_600),
            Connections = settings.Int("Limits:Connections", usual.Connections, 10, 10_000_000),
            ShutdownSeconds = settings.Int("Limits:ShutdownSeconds", usual.ShutdownSeconds, 1, 600),
        };
    }

    private static DemoOptions Demo(SettingsReader settings, bool production, AuthOptions auth)
    {
        // Its tokens are signed here, which only a shared secret allows.
        var enabled = settings.Flag("Demo:Enabled", fallback: !production && auth.Authority is null);
        if (enabled && auth.Authority is not null)
            settings.Wrong(
                "Demo:Enabled is 'true' while Auth:Authority is set: the demo signs tokens of its own, which needs Auth:Secret; remove "
                + "one of the two.");
        return new DemoOptions(
            enabled, settings.Int("Demo:TokenSeconds", 120, 2, 3_600), settings.Int("Demo:TokensPerMinute", 120, 1, 1_000_000));
    }

    private static Quotas Quotas(SettingsReader settings)
    {
        var usual = new Quotas();
        return new Quotas(
            settings.Int("Limits:LiveEntities", usual.LiveEntitiesMax, 1, 10_000_000),
            settings.Number("Limits:UserBytes", usual.BytesMax, 1024 * 1024, 1L << 40),
            settings.Int("Limits:Devices", usual.DevicesMax, 1, 100_000),
            settings.Int("Limits:Conflicts", usual.ConflictsMax, 1, 1_000_000),
            settings.Int("Limits:ConnectionsPerUser", usual.ConnectionsMax, 1, 1_000))
        {
            VersionBytesMax = settings.Number("Limits:VersionBytes", usual.VersionBytesMax, 0, 1L << 40),
            EntityVersionBytesMax = settings.Number("Limits:EntityVersionBytes", usual.EntityVersionBytesMax, 0, 1L << 40),
            TypesWithoutHistory = Types(settings, "History:ExceptTypes", settings.List("History:ExceptTypes")),
            TypesWithoutMerge = Types(settings, "Merge:ExceptTypes", settings.List("Merge:ExceptTypes")),
        };
    }

    private static HashSet<string> Types(SettingsReader settings, string name, IReadOnlyList<string> types)
    {
        foreach (var type in types.Where(type => EntityTypes.Find(type) is null))
            settings.Wrong($"{name} holds '{type}': write entity types as they are stored, like logbook_entry.");
        return [.. types];
    }

    private static List<IPNetwork> TrustedProxies(SettingsReader settings)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in settings.List("TrustedProxies"))
        {
            if (IPNetwork.TryParse(text, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(text, out var address)) networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else settings.Wrong(
                $"TrustedProxies holds '{text}': write an address (10.0.0.5) or a network (10.0.0.0/8) of your reverse proxies.");
        }

        return networks;
    }
}
