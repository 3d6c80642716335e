namespace Mirubato.Gateway.Options;

/// <summary>
/// The settings of the gateway and the store, read and checked once at start. To add one: a member here, the line of
/// <see cref="OptionsParser"/> that reads it, and a row in docs/operations.md, "Settings"; <c>DocumentedTests</c> compares the names.
/// Settings of the cluster (<c>Silo:…</c>) are in Silo/ClusterOptions.cs; quotas, and bounds that nobody sets, are in
/// Grains.Interfaces/Limits.cs.
/// </summary>
internal sealed record GatewayOptions(
    AuthOptions Auth,
    StorageOptions Storage,
    AllowedOrigins Origins,
    LimitOptions Limits,
    Quotas Quotas,
    IReadOnlyList<System.Net.IPNetwork> TrustedProxies,
    DemoOptions Demo)
{
    public AdminOptions Admin { get; init; } = new(null, null, null);
}

/// <summary>What opens the pages for operators. Without a secret and a role there are none.</summary>
/// <param name="Secret">The password of HTTP Basic.</param>
/// <param name="Role">What the token of a user must carry who is an operator.</param>
/// <param name="Port">Where the pages are, and nothing else is; null: where everything is.</param>
internal sealed record AdminOptions(string? Secret, AdminRole? Role, int? Port)
{
    public bool IsOn => Secret is not null || Role is not null;
}

/// <summary>A claim of a token, which has the value, or is a list that holds it.</summary>
internal sealed record AdminRole(string Claim, string Value);

/// <summary>The demo page, and the tokens it hands out to anybody who asks.</summary>
internal sealed record DemoOptions(bool Enabled, int TokenSeconds, int TokensPerMinute);

/// <summary>Tokens are signed with a shared secret, or by an authority; exactly one of the two.</summary>
/// <param name="Generated">The secret was made here for development, not configured.</param>
internal sealed record AuthOptions(string? Secret, string? Authority, string? Issuer, string? Audience, bool Generated);

/// <summary>PostgreSQL when it is named, else SQLite at the path.</summary>
internal sealed record StorageOptions(string? Postgres, string SqlitePath)
{
    public string DataDirectory => Path.GetDirectoryName(Path.GetFullPath(SqlitePath)) ?? ".";
}

/// <summary>What one user, one address and the process may ask for.</summary>
internal sealed record LimitOptions
{
    /// <summary>Steady requests a second of one user.</summary>
    public int RequestsPerSecond { get; init; } = 100;

    /// <summary>Requests a user may send at once after a pause.</summary>
    public int RequestBurst { get; init; } = 5_000;

    /// <summary>Refused tokens of one address a minute; past it the answer is 429.</summary>
    public int RefusedTokensPerMinute { get; init; } = 120;

    /// <summary>Bytes of unpacked bodies in the process at a time.</summary>
    public long BodyBudgetBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Bodies past 1 MiB that one user may have under way.</summary>
    public int LargeBodiesPerUser { get; init; } = 4;

    /// <summary>Seconds a large body may take to arrive.</summary>
    public int BodySeconds { get; init; } = 300;

    /// <summary>Open connections of the process.</summary>
    public int Connections { get; init; } = 60_000;

    public int ShutdownSeconds { get; init; } = 15;
}
