using System.Text;

namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Where a user's history stands, read in the same snapshot as the rows it came with. Decisions to answer 304, to reset a client or to
/// turn a device away are made on this, never on a head remembered in memory: other nodes write too.
/// </summary>
/// <param name="First">The first revision of the epoch: a token below it is of another life.</param>
/// <param name="Horizon">Tombstones up to here may be gone: a token below it cannot be continued.</param>
/// <param name="Digest">Sum mod 2^128 over live entities, see PROTOCOL.md.</param>
/// <param name="NotBeforeMs">Tokens issued before this are signed out, Unix ms.</param>
/// <param name="Rights">
/// Counts what changed who may go on from where: a sign-out, a device revoked or allowed, a raised horizon, an erased account.
/// </param>
public sealed record Standing(
    Epoch Epoch,
    Revision First,
    Revision Last,
    Revision Horizon,
    UInt128 Digest,
    long LastSyncMs,
    long NotBeforeMs,
    long CreatedMs,
    bool DeviceRevoked,
    long Rights = 0)
{
    public SyncToken Token => new(Epoch, Last);

    /// <summary>Whether a client at <paramref name="token"/> must replace what it has: another epoch, ahead of the head, or before the horizon.</summary>
    public bool Resets(SyncToken token) =>
        token.Epoch != Epoch || token.Seq.IsAfter(Last) || (Horizon.IsAfter(token.Seq) && Horizon.IsAfter(token.Floor));

    public RequestRefusal Refusal(Caller caller) =>
        caller.TokenIssuedAtMs < NotBeforeMs ? RequestRefusal.SignedOut
        : DeviceRevoked ? RequestRefusal.DeviceRevoked
        : RequestRefusal.None;
}

/// <summary>One entity as stored.</summary>
/// <param name="UpdatedAtMs">The <c>updatedAt</c> that goes out, Unix ms.</param>
/// <param name="DeletedAtMs">Unix ms; null while the entity lives.</param>
/// <param name="Data">The outgoing document, UTF-8 JSON, ready; empty for a tombstone.</param>
public sealed record StoredRow(
    EntityKey Entity,
    long Seq,
    long Version,
    long UpdatedAtMs,
    long? DeletedAtMs,
    ReadOnlyMemory<byte> Data);

/// <summary>Which rows to read, and in which order.</summary>
public sealed record ReadQuery
{
    /// <summary>Only revisions after this one.</summary>
    public Revision After { get; init; }

    /// <summary>At most so many rows, and about <see cref="Limits.PageBytesMax"/> bytes, but at least one row if there is any.</summary>
    public int Rows { get; init; } = Limits.PageRowsMax;

    /// <summary>Only these entity types; null: all.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>Turns <see cref="Types"/> around: all but these.</summary>
    public bool ExceptTypes { get; init; }

    public RowKind Kind { get; init; } = RowKind.Any;

    /// <summary>
    /// Set: rows come by key (type, then id) from here on, not by revision. A row that moves while a long answer is read
    /// keeps its place, so the answer holds each entity once. Start with <c>("", "")</c>.
    /// </summary>
    public EntityKey? AfterKey { get; init; }

    /// <summary>The one row of that key, if it is there; else the one behind it in its type, if any.</summary>
    public static ReadQuery From(EntityKey key) => new() { Types = [key.Type], AfterKey = key with { Id = Before(key.Id) }, Rows = 1 };

    /// <summary>
    /// The text right before <paramref name="id"/> in the order of keys, which is that of code points: nothing that is short enough to be an id
    /// lies between.
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

/// <summary>A page of rows and where the history stood in the same snapshot. <paramref name="More"/>: the bound of rows or bytes cut it.</summary>
public sealed record ReadPage(Standing Standing, IReadOnlyList<StoredRow> Rows, bool More);

/// <summary>The figures of <c>GET /api/sync/status</c>.</summary>
public sealed record StatusReport(
    Standing Standing,
    int Devices,
    int Connections,
    IReadOnlyDictionary<string, int> LiveEntities);

/// <summary>A change that lost, kept for <see cref="Limits.ConflictDays"/> days. <paramref name="Document"/> is the loser, UTF-8 JSON.</summary>
/// <param name="Reason"><c>stale</c>, <c>deleted</c> or <c>replaced</c>.</param>
public sealed record ConflictReport(
    string Id,
    EntityKey Entity,
    string Reason,
    long WinnerVersion,
    DeviceId? Device,
    long CreatedMs,
    ReadOnlyMemory<byte> Document);

/// <param name="LastSeq">The last revision this device is known to have been given.</param>
public sealed record DeviceReport(
    DeviceId Device,
    string? Name,
    long FirstSeenMs,
    long LastSeenMs,
    long LastSeq,
    long? RevokedMs,
    bool Live);
