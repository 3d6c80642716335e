using System.Text.Json.Serialization;

namespace Mirubato.Gateway.Wire;

// The answers of docs/protocol.md, section Endpoints. They are written as they stand here and described in /openapi/v1.json from the same
// types.

/// <summary>RFC 9457 with the members existing clients read: <c>success</c>, <c>error</c>, <c>code</c>.</summary>
/// <param name="Path">Where in the body, when it is about a place.</param>
/// <param name="Reason">The class of a failure of the store, or why a document was refused.</param>
internal sealed record ProblemAnswer(
    string Type, string Title, int Status, string Detail, bool Success, string Error, string Code,
    string? Path = null, string? Reason = null);

/// <param name="NotListed">Items whose results are left out, because there are too many; null: none.</param>
internal sealed record PushAnswer(
    bool Success,
    IReadOnlyList<PushConflict> Conflicts,
    PushStats Stats,
    IReadOnlyList<WriteResult> Results,
    string SyncToken,
    long LastSeq,
    int? NotListed)
{
    /// <summary>Set when strict handling applied nothing: the answer is a problem, too.</summary>
    [JsonIgnore]
    public ProblemForm? Refused { get; init; }

    public string? Type => Refused?.Type;
    public string? Title => Refused?.Title;
    public int? Status => Refused?.Status;
    public string? Detail => Refused?.Remedy;
    public string? Error => Refused?.Remedy;
    public string? Code => Refused?.Code;
}

/// <param name="Members">JSON pointers of what lost; null: the whole document.</param>
internal sealed record PushConflict(
    string EntityId, string EntityType, string Reason, string Message, IReadOnlyList<string>? Members, JsonBytes? Server);

internal sealed record PushStats(
    int EntriesProcessed,
    int DuplicatesPrevented,
    int GoalsProcessed,
    int PracticePlansProcessed,
    int PlanOccurrencesProcessed,
    int PlanTemplatesProcessed,
    int RepertoireProcessed);

/// <param name="Status"><c>created</c>, <c>updated</c>, <c>deleted</c>, <c>merged</c>, <c>conflict</c> or <c>refused</c>.</param>
/// <param name="Members">JSON pointers of what lost in a merge.</param>
internal sealed record WriteResult(
    string EntityType, string EntityId, string Status, long Seq, long Version, string? UpdatedAt, IReadOnlyList<string>? Members,
    JsonBytes? Document);

internal sealed record BatchAnswer(
    int Uploaded,
    int Downloaded,
    IReadOnlyList<BatchConflict> Conflicts,
    string NewSyncToken,
    long LastSeq,
    IReadOnlyList<WriteResult> Results,
    JsonBytes? Changes,
    bool? HasMore)
{
    /// <summary>As in <see cref="PushAnswer"/>.</summary>
    [JsonIgnore]
    public ProblemForm? Refused { get; init; }

    public string? Type => Refused?.Type;
    public string? Title => Refused?.Title;
    public int? Status => Refused?.Status;
    public string? Detail => Refused?.Remedy;
    public bool? Success => Refused is null ? null : false;
    public string? Error => Refused?.Remedy;
    public string? Code => Refused?.Code;
}

internal sealed record BatchConflict(
    string EntityId, string EntityType, long? LocalVersion, long RemoteVersion, string Reason, string Message,
    IReadOnlyList<string>? Members, JsonBytes? Server);

internal sealed record StatusAnswer(
    string? LastSyncTime,
    string SyncToken,
    long LastSeq,
    int PendingChanges,
    int DeviceCount,
    int EntityCount,
    IReadOnlyDictionary<string, int> EntityCounts,
    int Connections,
    string Digest,
    int SchemaVersion);

internal sealed record ConflictsAnswer(IReadOnlyList<KeptConflict> Conflicts, bool HasMore, string? Next);

internal sealed record KeptConflict(
    string Id, string EntityType, string EntityId, string Reason, long WinnerVersion, string? DeviceId,
    string CreatedAt, IReadOnlyList<string>? Members, JsonBytes Document);

internal sealed record HistoryAnswer(
    string EntityType, string EntityId, IReadOnlyList<KeptVersion> Versions, bool HasMore, string? Next);

/// <param name="Current">It is the present state.</param>
/// <param name="Deleted">It is a deleted state, and has no document.</param>
/// <param name="ArrivedAt">When the server received it.</param>
internal sealed record KeptVersion(
    long Version, bool Current, bool Deleted, string? DeviceId, string ArrivedAt, string UpdatedAt, JsonBytes? Document);

/// <param name="AllOrNothing">Always false: what was done stays done.</param>
internal sealed record RewindAnswer(
    string To, bool DryRun, bool AllOrNothing, IReadOnlyList<RewoundItem> Items, bool HasMore, string? Next);

/// <param name="Action"><c>changed</c>, <c>deleted</c>, <c>restored</c>, <c>unknown</c>, <c>moved</c> or <c>refused</c>.</param>
internal sealed record RewoundItem(string EntityType, string EntityId, string Action, long Version);

internal sealed record DevicesAnswer(IReadOnlyList<KnownDevice> Devices);

internal sealed record KnownDevice(
    string DeviceId, string? Name, string FirstSeen, string LastSeen, long LastSeq, bool Revoked, string? RevokedAt, bool Live);

internal sealed record ErasedAnswer(bool Success, string SyncToken, long LastSeq);

/// <param name="NotBefore">Tokens issued before this moment are refused.</param>
internal sealed record SignedOutAnswer(bool Success, string NotBefore);

/// <param name="Reason">Why it is not healthy.</param>
internal sealed record HealthAnswer(string Service, string Status, string Timestamp, string Environment, string Version, string? Reason);

/// <summary>One line of an export.</summary>
/// <param name="Kind">
/// <c>entity</c>, <c>tombstone</c>, <c>conflict</c>, <c>version</c>, or <c>end</c>: an export without it is incomplete.
/// </param>
internal sealed record ExportLine(string Kind)
{
    public string? EntityType { get; init; }
    public string? EntityId { get; init; }
    public long? Seq { get; init; }
    public long? Version { get; init; }
    public string? UpdatedAt { get; init; }
    public string? DeletedAt { get; init; }
    public string? Reason { get; init; }
    public string? DeviceId { get; init; }
    public string? ArrivedAt { get; init; }
    public IReadOnlyList<string>? Members { get; init; }
    public JsonBytes? Data { get; init; }
    public long? Lines { get; init; }
    public string? SyncToken { get; init; }
}

/// <summary>Why <c>/sync/ws</c> did not upgrade; existing clients read nothing else.</summary>
internal sealed record UpgradeRefusal(string Error);

/// <param name="Ticket">Goes into <c>/sync/ws?ticket=</c>, once.</param>
internal sealed record TicketAnswer(string Ticket, string ExpiresAt);
