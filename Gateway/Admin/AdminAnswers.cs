using System.Text.Json.Serialization;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Admin;

// The answers of the Admin API, as docs/admin.md shows them. A member that is not known is null.

internal sealed record ClusterAnswer(
    string Status, string At, string Version, int ProtocolVersion, StoreFigures Store, int Silos, int SilosReady, int SilosDraining,
    SiloFigures Figures);

internal sealed record StoreFigures(string Kind, bool Ready, string? Trouble);

internal sealed record SilosAnswer(string At, IReadOnlyList<SiloAnswer> Silos, IReadOnlyList<SiloAnswer> Gateways);

internal sealed record SiloAnswer(
    string? Name, string Address, string Status, string? Version, string? StartedAt, bool Ready, string? Trouble, bool Draining,
    bool Drained, SiloFigures? Figures)
{
    /// <summary>What the figures were made of.</summary>
    [JsonIgnore]
    public SiloReport? Report { get; init; }
}

internal sealed record SiloFigures(
    int Sockets, int ActiveUsers, long Connections, long Heads, long Observers, long QueuedWrites, long MemoryBytes, double CpuCores)
{
    public double OperationsPerSecond { get; init; }
    public double CommitsPerSecond { get; init; }
    public double RevisionsPerSecond { get; init; }
    public double ConflictsPerSecond { get; init; }
    public double ReplaysPerSecond { get; init; }
    public double RefusalsPerSecond { get; init; }
    public double FaultsPerSecond { get; init; }
    public required SortedDictionary<string, LatencyFigures> Latency { get; init; }
}

/// <param name="P50">Seconds.</param>
/// <param name="P99">Seconds.</param>
internal sealed record LatencyFigures(double PerSecond, double P50, double P99);

internal sealed record EventAnswer(ClusterAnswer Status, IReadOnlyList<SiloAnswer> Silos, IReadOnlyList<SiloAnswer> Gateways);

internal sealed record UserAnswer(
    string User, string SyncToken, string Epoch, long Head, long FirstSeq, long Horizon, string Digest, string CreatedAt,
    string? LastSyncAt, string? SignedOutBefore, UserEntities Entities)
{
    public required IReadOnlyList<UserDevice> Devices { get; init; }
    public required IReadOnlyList<UserConnection> Connections { get; init; }
    public required string? Coordinator { get; init; }
    public required IReadOnlyList<UserConflict> Conflicts { get; init; }
    public required bool ConflictsHasMore { get; init; }
}

internal sealed record UserEntities(int Live, int Tombstones, long Bytes, SortedDictionary<string, int> ByType);

/// <param name="Lag">Revisions behind the head, as far as is known.</param>
internal sealed record UserDevice(
    string DeviceId, string? Name, string FirstSeenAt, string LastSeenAt, long LastSeq, long Lag, bool Live, bool Revoked,
    string? RevokedAt);

/// <param name="Seq">The last revision that was sent to it; 0: none.</param>
internal sealed record UserConnection(
    string ConnectionId, string? DeviceId, string OpenedAt, string Process, string? Silo, long Seq);

internal sealed record UserConflict(
    string Id, string EntityType, string Reason, long WinnerVersion, string? DeviceId, string CreatedAt, int Bytes)
{
    /// <summary>Absent unless content was asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? EntityId { get; init; }

    /// <summary>Likewise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonBytes? Document { get; init; }
}

internal sealed record ResyncAnswer(bool Success, string SyncToken, long Head);

internal sealed record DisconnectAnswer(bool Success, int Closed);

/// <summary>How the Admin API spells its answers: as the others, but null is written, and what could be markup is escaped.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ClusterAnswer))]
[JsonSerializable(typeof(SilosAnswer))]
[JsonSerializable(typeof(SiloAnswer))]
[JsonSerializable(typeof(EventAnswer))]
[JsonSerializable(typeof(UserAnswer))]
[JsonSerializable(typeof(ResyncAnswer))]
[JsonSerializable(typeof(DisconnectAnswer))]
internal sealed partial class AdminJson : JsonSerializerContext;
