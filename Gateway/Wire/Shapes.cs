namespace Mirubato.Gateway.Wire;

// What is read or streamed by hand, as a shape for /openapi/v1.json. Documents are the application's own: any object.

internal sealed record PushShape(PushChangesShape Changes, string? LastSyncToken);

internal sealed record PushChangesShape(
    IReadOnlyList<JsonBytes>? Entries,
    IReadOnlyList<JsonBytes>? Goals,
    IReadOnlyList<JsonBytes>? Repertoire,
    IReadOnlyList<JsonBytes>? PracticePlans,
    IReadOnlyList<JsonBytes>? PlanOccurrences,
    IReadOnlyList<JsonBytes>? PlanTemplates,
    JsonBytes? Preferences);

internal sealed record BatchShape(IReadOnlyList<BatchItemShape> Entities, string? SyncToken);

internal sealed record BatchItemShape(
    string Type, string Id, JsonBytes? Data, string? Checksum, long? Version, long? BaseVersion, bool? Deleted);

internal sealed record PullShape(string? Since, IReadOnlyList<string>? Types, int? Limit);

internal sealed record PullAnswerShape(
    IReadOnlyList<JsonBytes> Entries,
    IReadOnlyList<JsonBytes> Goals,
    IReadOnlyList<JsonBytes> Repertoire,
    IReadOnlyList<JsonBytes> PracticePlans,
    IReadOnlyList<JsonBytes> PlanOccurrences,
    IReadOnlyList<JsonBytes> PlanTemplates,
    JsonBytes? Preferences,
    IReadOnlyDictionary<string, IReadOnlyList<JsonBytes>> Other,
    IReadOnlyList<TombstoneShape>? Deleted,
    bool? Reset,
    string SyncToken,
    long LastSeq,
    string Timestamp,
    string? Digest,
    int SchemaVersion,
    bool HasMore);

internal sealed record RewindShape(string To, string? Device, IReadOnlyList<string>? Types, bool? DryRun, string? After);

internal sealed record TombstoneShape(string EntityType, string EntityId, string DeletedAt, long Seq);
