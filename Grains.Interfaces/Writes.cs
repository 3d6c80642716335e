using System.Runtime.InteropServices;

namespace Mirubato.Grains.Interfaces;

/// <summary>The caller: the token's user, the device as it names itself, and when the token was issued (Unix ms).</summary>
[GenerateSerializer, Immutable, Alias("mirubato.caller")]
public sealed record Caller([property: Id(0)] UserId User, [property: Id(1)] DeviceId? Device, [property: Id(2)] long TokenIssuedAtMs);

/// <summary>The endpoint of a write. An idempotency key means something per user and scope.</summary>
public enum WriteScope
{
    Push,
    Batch,
    Socket,
}

/// <summary>Where a document stands among the bytes of its request, so that a body crosses to another process once.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.document-range")]
public readonly record struct DocumentRange([property: Id(0)] int Start, [property: Id(1)] int Length)
{
    public bool IsEmpty => Length == 0;

    /// <summary>The place of <paramref name="part"/>, a slice of <paramref name="whole"/>. Both are memory over one array.</summary>
    public static DocumentRange From(ReadOnlyMemory<byte> part, ReadOnlyMemory<byte> whole)
    {
        if (part.IsEmpty) return default;
        var isSlice = MemoryMarshal.TryGetArray(part, out var slice) & MemoryMarshal.TryGetArray(whole, out var all)
            && ReferenceEquals(slice.Array, all.Array);
        return isSlice
            ? new DocumentRange(slice.Offset - all.Offset, slice.Count)
            : throw new ArgumentException("A document must be a slice of its request's bytes.", nameof(part));
    }
}

/// <summary>One item as it came in. Everything but the document is a scalar.</summary>
/// <param name="Type">The entity type; for <see cref="ItemRefusal.UnknownType"/> the name that was sent instead.</param>
/// <param name="Id">The id sent beside the document (batch, deletes over the socket); null when the document holds it.</param>
/// <param name="Document">UTF-8 JSON as sent, at most <see cref="Limits.EntityBytesMax"/>; empty where only an id was sent.</param>
/// <param name="Delete">
/// Deletes whatever the document says. A <c>deletedAt</c> or <c>deleted_at</c> in it that is a time deletes as well.
/// </param>
/// <param name="BaseVersion">The version the writer had seen. Counts only under a cursor of the current epoch.</param>
/// <param name="Checksum">64 hex digits over <paramref name="Document"/>, checked when present.</param>
/// <param name="LocalVersion">
/// The version its writer counts it as: echoed in batch conflicts, and the higher wins where clocks are equal; not a base.
/// </param>
/// <param name="EventMs">The <c>timestamp</c> of an interactive event, Unix ms: its client time when the document has none.</param>
/// <param name="Refused">Already refused where it was parsed.</param>
[GenerateSerializer, Immutable, Alias("mirubato.change")]
public sealed record Change(
    [property: Id(0)] string Type,
    [property: Id(1)] string? Id,
    [property: Id(2)] DocumentRange Document,
    [property: Id(3)] bool Delete = false,
    [property: Id(4)] long? BaseVersion = null,
    [property: Id(5)] string? Checksum = null,
    [property: Id(6)] long? LocalVersion = null,
    [property: Id(7)] long? EventMs = null,
    [property: Id(8)] ItemRefusal Refused = ItemRefusal.None);

/// <summary>A write of one request: all of it is one transaction, each item with a result of its own.</summary>
/// <param name="Key">The idempotency key or mutation id; null: executed each time it arrives.</param>
/// <param name="Body">The unpacked bytes of the request: what a key is bound to. Never pooled, and never written again.</param>
/// <param name="Cursor">The token sent along; <see cref="SyncToken.Start"/> when none was.</param>
/// <param name="Strict"><c>Prefer: handling=strict</c>: any conflict or refusal applies nothing and answers 409.</param>
/// <param name="ConnectionId">
/// What the socket it came by calls its writes now; the announcement names it, so that the socket is spared the echo. Null over HTTP.
/// </param>
[GenerateSerializer, Immutable, Alias("mirubato.write")]
public sealed record WriteRequest(
    [property: Id(0)] Caller Caller,
    [property: Id(1)] WriteScope Scope,
    [property: Id(2)] string? Key,
    [property: Id(3)] ReadOnlyMemory<byte> Body,
    [property: Id(4)] List<Change> Changes,
    [property: Id(5)] SyncToken Cursor = default,
    [property: Id(6)] bool Strict = false,
    [property: Id(7)] string? ConnectionId = null)
{
    /// <summary>
    /// Compare and set: each change counts only if <see cref="Change.BaseVersion"/> is the entity's version now (0: the entity
    /// is unknown). Else the request is refused as <see cref="RequestRefusal.BaseMoved"/> and stores nothing, not even a receipt.
    /// </summary>
    [Id(8)]
    public bool OnlyOnBase { get; init; }

    /// <summary>The bytes that the documents are ranges of, where they are not the body.</summary>
    [Id(9)]
    public ReadOnlyMemory<byte> Documents { get; init; }

    /// <summary>
    /// An export is restored: what is deleted comes back, as if each item named its tombstone as its base. What lives is merged as ever.
    /// </summary>
    [Id(11)]
    public bool RevivesDeleted { get; init; }

    /// <summary>
    /// The client takes over merged documents: its edits of older bases are merged by members (docs/protocol.md, rule 3b).
    /// </summary>
    [Id(12)]
    public bool Merges { get; init; }

    /// <summary>The answer is to name what became of each item; else only its bytes come back.</summary>
    [Id(10)]
    public bool ItemsWanted { get; init; }

    /// <summary>The span it is asked for in, as a <c>traceparent</c>; null when nobody traces.</summary>
    [Id(13)]
    public string? Trace { get; init; }

    public ReadOnlyMemory<byte> FindDocument(Change change) =>
        (Documents.IsEmpty ? Body : Documents).Slice(change.Document.Start, change.Document.Length);
}

/// <summary>Asks for the answer of an earlier write.</summary>
/// <param name="Body">The body that the key is bound to.</param>
/// <param name="Trace">As in <see cref="WriteRequest.Trace"/>.</param>
[GenerateSerializer, Immutable, Alias("mirubato.receipt-query")]
public sealed record ReceiptQuery(
    [property: Id(0)] Caller Caller,
    [property: Id(1)] WriteScope Scope,
    [property: Id(2)] string Key,
    [property: Id(3)] ReadOnlyMemory<byte> Body,
    [property: Id(4)] string? Trace = null);

/// <summary>What became of one item.</summary>
public enum ItemStatus
{
    /// <summary>Nothing new in it: no write, no revision, no announcement.</summary>
    Unchanged,
    Created,
    Updated,
    Deleted,

    /// <summary>Beaten; <see cref="ItemResult.Server"/> is the winning copy and the loser is in the conflict feed.</summary>
    Conflict,

    /// <summary>Not acceptable; <see cref="ItemResult.Refusal"/> says why.</summary>
    Refused,

    /// <summary>
    /// Merged with what others had changed since its base; <see cref="ItemResult.Document"/> is the outcome and
    /// <see cref="ItemResult.Members"/> what of it lost. Only of a request that <see cref="WriteRequest.Merges"/>.
    /// </summary>
    Merged,
}

/// <summary>What became of one item, in the order of the request.</summary>
/// <param name="Seq">The revision of the entity now; 0 when nothing is stored.</param>
/// <param name="UpdatedAtMs">The <c>updatedAt</c> that is sent out, Unix ms.</param>
/// <param name="Server">
/// The winning copy, UTF-8 JSON; a tombstone as <c>{id, deletedAt, version}</c>. Empty unless <see cref="ItemStatus.Conflict"/>, and in all
/// results of an entity but the first.
/// </param>
/// <param name="Document">What is stored, where it differs from what was sent beyond normalization the client can do; else empty.</param>
[GenerateSerializer, Immutable, Alias("mirubato.item")]
public sealed record ItemResult(
    [property: Id(0)] EntityKey Entity,
    [property: Id(1)] ItemStatus Status,
    [property: Id(2)] long Seq = 0,
    [property: Id(3)] long Version = 0,
    [property: Id(4)] long UpdatedAtMs = 0,
    [property: Id(5)] ItemRefusal Refusal = ItemRefusal.None,
    [property: Id(6)] ReadOnlyMemory<byte> Server = default,
    [property: Id(7)] ReadOnlyMemory<byte> Document = default)
{
    /// <summary>The answer had no room for <see cref="Server"/> or <see cref="Document"/>: the client has to pull it.</summary>
    [Id(8)]
    public bool IsCopyLeftOut { get; init; }

    /// <summary>
    /// JSON pointers (RFC 6901) of the members in which the item lost to later changes; null: none, or the whole document.
    /// </summary>
    [Id(9)]
    public List<string>? Members { get; init; }

    /// <summary>Of <see cref="ItemStatus.Merged"/>: nothing in it was new, so nothing was written and nothing is announced.</summary>
    [Id(10)]
    public bool TookNoRevision { get; init; }
}

/// <summary>A decided write, before its commit: all that its answer may tell.</summary>
/// <param name="Applied">False when strict and some item was refused or beaten: then nothing is stored but the receipt.</param>
/// <param name="Token">Never passes what this client was given.</param>
/// <param name="NotMentioned">Live entities of the user that the request did not name.</param>
/// <param name="Changes">For a batch that sent a token: what the store had beyond it.</param>
public sealed record WriteOutcome(
    bool Applied,
    IReadOnlyList<ItemResult> Items,
    SyncToken Token,
    int NotMentioned = 0,
    IReadOnlyList<StoredRow>? Changes = null,
    bool HasMore = false);

/// <summary>
/// Writes the answer of a decided write. It is called before the commit, so that the receipt holds the very bytes of the first answer;
/// the wire format stays with the Gateway all the same.
/// </summary>
public interface IAnswerFormat
{
    /// <summary>The UTF-8 body and its HTTP status for <paramref name="outcome"/>. Deterministic; no clock.</summary>
    (int Status, ReadOnlyMemory<byte> Body) Write(WriteRequest request, WriteOutcome outcome);
}

/// <summary>The bytes to answer with, or why the request was not executed.</summary>
/// <param name="Status">HTTP status of <paramref name="Body"/>; 0 with a refusal.</param>
/// <param name="Replayed">The answer of an earlier request with the same key.</param>
/// <param name="Items">What became of the items; null in a replay, and where it was not asked for.</param>
[GenerateSerializer, Immutable, Alias("mirubato.answer")]
public sealed record WriteAnswer(
    [property: Id(0)] RequestRefusal Refusal,
    [property: Id(1)] int Status,
    [property: Id(2)] ReadOnlyMemory<byte> Body,
    [property: Id(3)] bool Replayed,
    [property: Id(4)] List<ItemResult>? Items = null)
{
    /// <summary>Where the history stands after what was written; null when nothing was.</summary>
    [Id(5)]
    public SyncToken? Head { get; init; }

    public static WriteAnswer Refuse(RequestRefusal why) => new(why, 0, default, false);
}
