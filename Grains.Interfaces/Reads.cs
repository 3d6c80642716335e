using System.Text;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Where a user's history stands, read in the same snapshot as the rows it came with. Decisions to answer 304, to reset a client or to
/// turn a device away are made on this, never on a head remembered in memory: other nodes write too.
/// </summary>
/// <param name="First">The first revision of the epoch: a token below it is of another life.</param>
/// <param name="Horizon">Tombstones up to here may be gone: a token below it cannot be continued.</param>
/// <param name="Digest">Sum mod 2^128 over live entities, see docs/protocol.md.</param>
/// <param name="NotBeforeMs">Tokens issued before this are signed out, Unix ms.</param>
/// <param name="Rights">Rises with each sign-out, revoked or allowed device, risen horizon and erasure.</param>
[GenerateSerializer, Immutable, Alias("mirubato.standing")]
public sealed record HistoryState(
    [property: Id(0)] Epoch Epoch,
    [property: Id(1)] Revision First,
    [property: Id(2)] Revision Last,
    [property: Id(3)] Revision Horizon,
    [property: Id(4)] UInt128 Digest,
    [property: Id(5)] long LastSyncMs,
    [property: Id(6)] long NotBeforeMs,
    [property: Id(7)] long CreatedMs,
    [property: Id(8)] bool DeviceRevoked,
    [property: Id(9)] long Rights = 0)
{
    public SyncToken Token => new(Epoch, Last);

    /// <summary>
    /// Whether a client at <paramref name="token"/> must replace what it has: another epoch, ahead of the head, or before the horizon.
    /// </summary>
    public bool Resets(SyncToken token) =>
        token.Epoch != Epoch || token.Seq.IsAfter(Last) || (Horizon.IsAfter(token.Seq) && Horizon.IsAfter(token.Floor));

    public RequestRefusal Refusal(Caller caller) =>
        caller.TokenIssuedAtMs < NotBeforeMs ? RequestRefusal.SignedOut
        : DeviceRevoked ? RequestRefusal.DeviceRevoked
        : RequestRefusal.None;
}

/// <param name="UpdatedAtMs">The <c>updatedAt</c> that goes out, Unix ms.</param>
/// <param name="DeletedAtMs">Unix ms; null while the entity lives.</param>
/// <param name="Data">The outgoing document, UTF-8 JSON, ready; empty for a tombstone.</param>
[GenerateSerializer, Immutable, Alias("mirubato.row")]
public sealed record StoredRow(
    [property: Id(0)] EntityKey Entity,
    [property: Id(1)] long Seq,
    [property: Id(2)] long Version,
    [property: Id(3)] long UpdatedAtMs,
    [property: Id(4)] long? DeletedAtMs,
    [property: Id(5)] ReadOnlyMemory<byte> Data);

/// <summary>Which rows to read, and in which order.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.read-query")]
public sealed record ReadQuery
{
    /// <summary>Only revisions after this one.</summary>
    [Id(0)]
    public Revision After { get; init; }

    /// <summary>At most so many rows, and about <see cref="Limits.PageBytesMax"/> bytes, but at least one row if there is any.</summary>
    [Id(1)]
    public int Rows { get; init; } = Limits.PageRowsMax;

    /// <summary>Only these entity types; null: all.</summary>
    [Id(2)]
    public string[]? Types { get; init; }

    /// <summary>Turns <see cref="Types"/> around: all but these.</summary>
    [Id(3)]
    public bool ExceptTypes { get; init; }

    [Id(4)]
    public RowKind Kind { get; init; } = RowKind.Any;

    /// <summary>
    /// Set: rows come by key (type, then id) from here on, not by revision. A row that moves while a long answer is read
    /// keeps its place, so the answer holds each entity once. Start with <c>("", "")</c>.
    /// </summary>
    [Id(5)]
    public EntityKey? AfterKey { get; init; }

    /// <summary>The one row of that key, if it is there; else the one behind it in its type, if any.</summary>
    public static ReadQuery From(EntityKey key) => new() { Types = [key.Type], AfterKey = key with { Id = Before(key.Id) }, Rows = 1 };

    /// <summary>
    /// The text right before <paramref name="id"/> in the order of keys, which is that of code points. No text between the two is short
    /// enough to be an id.
    /// </summary>
    private static string Before(string id)
    {
        var last = id.Length - (char.IsLowSurrogate(id[^1]) ? 2 : 1);
        var rune = Rune.GetRuneAt(id, last).Value;
        var previous = new Rune(rune == 0xE000 ? 0xD7FF : rune - 1);
        var text = new StringBuilder(id, 0, last, UsableId.UnitsMax * 2).Append(previous.ToString());
        while (text.Length <= UsableId.UnitsMax) text.Append("\U0010FFFF");
        return text.ToString();
    }
}

public enum RowKind
{
    Any,
    Live,
    Tombstones,
}

/// <summary>
/// A page of rows and where the history stood in the same snapshot. <paramref name="More"/>: the bound of rows or bytes cut it.
/// </summary>
[GenerateSerializer, Immutable, Alias("mirubato.page")]
public sealed record ReadPage(
    [property: Id(0)] HistoryState HistoryState, [property: Id(1)] List<StoredRow> Rows, [property: Id(2)] bool More);

/// <summary>The figures of <c>GET /api/sync/status</c>.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.status")]
public sealed record StatusReport(
    [property: Id(0)] HistoryState HistoryState,
    [property: Id(1)] int Devices,
    [property: Id(2)] int Connections,
    [property: Id(3)] Dictionary<string, int> LiveEntities);

/// <summary>What an operator sees of a user.</summary>
/// <param name="Coordinator">The address of the silo that answered.</param>
[GenerateSerializer, Immutable, Alias("mirubato.user-report")]
public sealed record UserReport(
    [property: Id(0)] HistoryState HistoryState,
    [property: Id(1)] EntityCounts Entities,
    [property: Id(2)] List<DeviceReport> Devices,
    [property: Id(3)] List<ConnectionReport> Connections,
    [property: Id(4)] string Coordinator);

/// <param name="Bytes">Of the stored documents.</param>
/// <param name="ByType">Live entities by type.</param>
[GenerateSerializer, Immutable, Alias("mirubato.entity-counts")]
public sealed record EntityCounts(
    [property: Id(0)] int Live, [property: Id(1)] int Tombstones, [property: Id(2)] long Bytes,
    [property: Id(3)] Dictionary<string, int> ByType);

/// <param name="OpenedMs">Unix ms.</param>
/// <param name="Process">The name of the process that has the socket.</param>
/// <param name="Silo">The address of the silo in that process; null in a process without one.</param>
/// <param name="Seq">The last revision that was sent to it; 0: none, or its process did not answer.</param>
[GenerateSerializer, Immutable, Alias("mirubato.connection-report")]
public sealed record ConnectionReport(
    [property: Id(0)] string ConnectionId,
    [property: Id(1)] DeviceId? Device,
    [property: Id(2)] long OpenedMs,
    [property: Id(3)] string Process,
    [property: Id(4)] string? Silo,
    [property: Id(5)] long Seq);

/// <summary>
/// A change that lost, kept for <see cref="Limits.ConflictDays"/> days. <paramref name="Document"/> is the loser, UTF-8 JSON.
/// </summary>
/// <param name="Reason"><c>stale</c>, <c>deleted</c> or <c>replaced</c>.</param>
[GenerateSerializer, Immutable, Alias("mirubato.conflict")]
public sealed record ConflictReport(
    [property: Id(0)] string Id,
    [property: Id(1)] EntityKey Entity,
    [property: Id(2)] string Reason,
    [property: Id(3)] long WinnerVersion,
    [property: Id(4)] DeviceId? Device,
    [property: Id(5)] long CreatedMs,
    [property: Id(6)] ReadOnlyMemory<byte> Document)
{
    /// <summary>JSON pointers (RFC 6901) of the members that lost; null: the whole document did.</summary>
    [Id(7)]
    public List<string>? Members { get; init; }
}

/// <param name="LastSeq">The last revision this device is known to have been given.</param>
[GenerateSerializer, Immutable, Alias("mirubato.device")]
public sealed record DeviceReport(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] string? Name,
    [property: Id(2)] long FirstSeenMs,
    [property: Id(3)] long LastSeenMs,
    [property: Id(4)] long LastSeq,
    [property: Id(5)] long? RevokedMs,
    [property: Id(6)] bool Live);
