namespace Mirubato.Cli.Doctor;

/// <summary>
/// What a client's <c>supportBundle()</c> wrote about its device; Client/src/support.ts describes the members. Times are the device's.
/// Members that this release does not know are ignored.
/// </summary>
internal sealed record SupportBundle(
    DateTimeOffset At, string Sdk, int Protocol, BundleDevice Device, BundleStatus Status, BundleCursor Cursor, BundleUnsent Unsent,
    BundleParked Parked, IReadOnlyList<BundleError> Errors, BundleStorage Storage, BundleServer Server)
{
    public string? App { get; init; }

    /// <summary>Null unless the app passed it.</summary>
    public string? User { get; init; }

    public string? UserAgent { get; init; }

    public BundleFailure? LastFailure { get; init; }
}

internal sealed record BundleDevice(string Id, string Store);

internal sealed record BundleStatus(string Connection, string Queue, bool Leader, bool Offline);

/// <param name="Epoch">Null before the first pull.</param>
/// <param name="Digest">Null if the device's documents changed while the bundle was made.</param>
internal sealed record BundleCursor(string? Epoch, long LastSeq, string? Digest);

internal sealed record BundleUnsent(long Count, DateTimeOffset? OldestAt);

/// <param name="Edits">The oldest hundred.</param>
internal sealed record BundleParked(long Count, IReadOnlyList<ParkedEdit> Edits);

/// <param name="Id">Null where it would be the user's.</param>
internal sealed record ParkedEdit(string Type, string? Id, string Reason, bool Retries);

internal sealed record BundleError(DateTimeOffset At, string Kind, string Code);

internal sealed record BundleFailure(string Code, int Status);

internal sealed record BundleStorage(double? UsedBytes, double? QuotaBytes, bool? Persisted);

/// <summary>What the server said to the device while the bundle was made; null: it did not say.</summary>
internal sealed record BundleServer(
    string Url, string? Version, double? ClockAheadMs, string? Epoch, long? LastSeq, string? Digest, BundleFailure? Failure);
