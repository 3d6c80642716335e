namespace Mirubato.Grains.Interfaces;

/// <summary>A state of an entity: the present one, or one that was replaced.</summary>
/// <param name="UpdatedAtMs">The <c>updatedAt</c> that went out, Unix ms.</param>
/// <param name="Device">Whose change made it; null for an unknown device, and for a rewind.</param>
/// <param name="ArrivedMs">When the server received it, Unix ms.</param>
/// <param name="IsPresent">Nothing has replaced it.</param>
/// <param name="IsRepeat">Its content is that of the version before it: it was announced again.</param>
/// <param name="Document">UTF-8 JSON; empty for a deleted state.</param>
[GenerateSerializer, Immutable, Alias("mirubato.version")]
public sealed record VersionReport(
    [property: Id(0)] EntityKey Entity,
    [property: Id(1)] long Version,
    [property: Id(2)] long UpdatedAtMs,
    [property: Id(3)] DeviceId? Device,
    [property: Id(4)] long ArrivedMs,
    [property: Id(5)] bool IsPresent,
    [property: Id(6)] bool IsRepeat,
    [property: Id(7)] ReadOnlyMemory<byte> Document);

/// <param name="Before">Only versions below this one.</param>
[GenerateSerializer, Immutable, Alias("mirubato.history-request")]
public sealed record HistoryRequest(
    [property: Id(0)] UserId User, [property: Id(1)] EntityKey Entity, [property: Id(2)] long Before, [property: Id(3)] int Limit);

/// <param name="After">Versions behind this entity and <paramref name="Version"/>, by key.</param>
[GenerateSerializer, Immutable, Alias("mirubato.versions-request")]
public sealed record VersionsRequest(
    [property: Id(0)] UserId User, [property: Id(1)] EntityKey After, [property: Id(2)] long Version, [property: Id(3)] int Limit);

[GenerateSerializer, Immutable, Alias("mirubato.restore-version")]
public sealed record RestoreVersionRequest(
    [property: Id(0)] Caller Caller, [property: Id(1)] EntityKey Entity, [property: Id(2)] long Version);

/// <summary>A page of a rewind.</summary>
/// <param name="ToMs">What arrived after this is taken back, Unix ms.</param>
/// <param name="Device">Only what this device did; null: everything.</param>
/// <param name="Types">Only these entity types; null: all.</param>
/// <param name="DryRun">Plans, and writes nothing.</param>
/// <param name="After">Entities behind this key. Start with <c>("", "")</c>.</param>
[GenerateSerializer, Immutable, Alias("mirubato.rewind")]
public sealed record RewindRequest(
    [property: Id(0)] Caller Caller,
    [property: Id(1)] long ToMs,
    [property: Id(2)] DeviceId? Device,
    [property: Id(3)] string[]? Types,
    [property: Id(4)] bool DryRun,
    [property: Id(5)] EntityKey After);

/// <summary>What a rewind does to an entity.</summary>
public enum RewindAction
{
    None,

    /// <summary>It gets another document.</summary>
    Changed,
    Deleted,

    /// <summary>It was deleted, and comes back.</summary>
    Restored,

    /// <summary>How it stood is no longer known: it is left alone.</summary>
    Unknown,

    /// <summary>Others kept changing it meanwhile: it is left alone.</summary>
    Moved,

    /// <summary>The state to go back to is not accepted, for instance because of the quota.</summary>
    Refused,
}

/// <param name="Version">The one stored now; in a dry run the one it was planned on.</param>
[GenerateSerializer, Immutable, Alias("mirubato.rewound")]
public sealed record Rewound(
    [property: Id(0)] EntityKey Entity, [property: Id(1)] RewindAction Action, [property: Id(2)] long Version);

/// <param name="Refusal">Why nothing was done; <see cref="RequestRefusal.None"/> otherwise.</param>
/// <param name="Items">Entities with something to do, by key.</param>
/// <param name="Next">Where the next page begins; null: this was the last.</param>
[GenerateSerializer, Immutable, Alias("mirubato.rewind-report")]
public sealed record RewindReport(
    [property: Id(0)] RequestRefusal Refusal, [property: Id(1)] List<Rewound> Items, [property: Id(2)] EntityKey? Next);
