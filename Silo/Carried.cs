using System.Runtime.InteropServices;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Silo;

// What crosses a process: contract records as scalars and opaque bytes. Members may be added with the next number, and are their default in
// what an older silo sends; none is ever renumbered, retyped or given another meaning, and no alias changes.

/// <summary>A write on its way to its coordinator. Documents are mostly slices of the body; then they do not travel twice.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.write")]
internal sealed record CarriedWrite(
    [property: Id(0)] CarriedCaller Caller, [property: Id(1)] int Scope, [property: Id(2)] string? Key, [property: Id(3)] ReadOnlyMemory<byte> Body,
    [property: Id(4)] CarriedChange[] Changes, [property: Id(5)] Guid CursorEpoch, [property: Id(6)] long CursorSeq, [property: Id(7)] long CursorFloor,
    [property: Id(8)] bool Strict, [property: Id(9)] string? ConnectionId, [property: Id(10)] bool OnlyOnBase)
{
    public static CarriedWrite Of(WriteRequest write) => new(
        CarriedCaller.Of(write.Caller), (int)write.Scope, write.Key, write.Body, [.. write.Changes.Select(change => CarriedChange.Of(change, write.Body))],
        write.Cursor.Epoch.Value, write.Cursor.Seq.Number, write.Cursor.Floor.Number, write.Strict, write.ConnectionId, write.OnlyOnBase);

    public WriteRequest Open() => new(
        Caller.Open(), (WriteScope)Scope, Key, Body, [.. Changes.Select(change => change.Open(Body))],
        new SyncToken(new Epoch(CursorEpoch), new Revision(CursorSeq), new Revision(CursorFloor)), Strict, ConnectionId)
    { OnlyOnBase = OnlyOnBase };
}

[GenerateSerializer, Immutable, Alias("mirubato.caller")]
internal sealed record CarriedCaller([property: Id(0)] string User, [property: Id(1)] string? Device, [property: Id(2)] long TokenIssuedAtMs)
{
    public static CarriedCaller Of(Caller caller) => new(caller.User.Value, caller.Device?.Value, caller.TokenIssuedAtMs);

    public Caller Open() => new(new UserId(User), Device is null ? null : new DeviceId(Device), TokenIssuedAtMs);
}

/// <param name="Start">Where the document lies in the body; -1: it is in <paramref name="Document"/>.</param>
[GenerateSerializer, Immutable, Alias("mirubato.change")]
internal sealed record CarriedChange(
    [property: Id(0)] string Type, [property: Id(1)] string? Name, [property: Id(2)] int Start, [property: Id(3)] int Length,
    [property: Id(4)] ReadOnlyMemory<byte> Document, [property: Id(5)] bool Delete, [property: Id(6)] long? BaseVersion, [property: Id(7)] string? Checksum,
    [property: Id(8)] long? LocalVersion, [property: Id(9)] long? EventMs, [property: Id(10)] int Refused)
{
    public static CarriedChange Of(Change change, ReadOnlyMemory<byte> body)
    {
        var start = StartIn(body, change.Document);
        return new(
            change.Type, change.Id, start, start < 0 ? 0 : change.Document.Length, start < 0 ? change.Document : default, change.Delete,
            change.BaseVersion, change.Checksum, change.LocalVersion, change.EventMs, (int)change.Refused);
    }

    public Change Open(ReadOnlyMemory<byte> body) => new(
        Type, Name, Start < 0 ? Document : body.Slice(Start, Length), Delete, BaseVersion, Checksum, LocalVersion, EventMs, (ItemRefusal)Refused);

    private static int StartIn(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> part)
    {
        if (part.IsEmpty || !MemoryMarshal.TryGetArray(body, out var whole) || !MemoryMarshal.TryGetArray(part, out var slice)) return -1;
        var start = slice.Offset - whole.Offset;
        return ReferenceEquals(whole.Array, slice.Array) && start >= 0 && start + slice.Count <= whole.Count ? start : -1;
    }
}

/// <summary>An answer, or the store's failure instead: as an exception it would not arrive as what it is.</summary>
/// <param name="HeadEpoch">With <paramref name="HeadSeq"/> the last head this activation has committed; null when it has none.</param>
[GenerateSerializer, Immutable, Alias("mirubato.reply")]
internal sealed record CarriedReply(
    [property: Id(0)] string? Fault = null, [property: Id(1)] bool OutcomeUnknown = false, [property: Id(2)] CarriedAnswer? Answer = null,
    [property: Id(3)] CarriedStatus? Status = null, [property: Id(4)] long Number = 0, [property: Id(5)] Guid? HeadEpoch = null,
    [property: Id(6)] long HeadSeq = 0)
{
    public SyncToken? Head => HeadEpoch is { } epoch ? new SyncToken(new Epoch(epoch), new Revision(HeadSeq)) : null;
}

[GenerateSerializer, Immutable, Alias("mirubato.answer")]
internal sealed record CarriedAnswer(
    [property: Id(0)] int Refusal, [property: Id(1)] int Status, [property: Id(2)] ReadOnlyMemory<byte> Body, [property: Id(3)] bool Replayed,
    [property: Id(4)] CarriedItem[]? Items)
{
    public static CarriedAnswer Of(WriteAnswer answer) =>
        new((int)answer.Refusal, answer.Status, answer.Body, answer.Replayed, answer.Items?.Select(CarriedItem.Of).ToArray());

    public WriteAnswer Open() => new((RequestRefusal)Refusal, Status, Body, Replayed, Items?.Select(item => item.Open()).ToList());
}

[GenerateSerializer, Immutable, Alias("mirubato.item")]
internal sealed record CarriedItem(
    [property: Id(0)] string Type, [property: Id(1)] string Name, [property: Id(2)] int Status, [property: Id(3)] long Seq, [property: Id(4)] long Version,
    [property: Id(5)] long UpdatedAtMs, [property: Id(6)] string? ExistingId, [property: Id(7)] int Refusal, [property: Id(8)] ReadOnlyMemory<byte> Server,
    [property: Id(9)] ReadOnlyMemory<byte> Document)
{
    public static CarriedItem Of(ItemResult item) => new(
        item.Entity.Type, item.Entity.Id, (int)item.Status, item.Seq, item.Version, item.UpdatedAtMs, item.ExistingId, (int)item.Refusal, item.Server, item.Document);

    public ItemResult Open() =>
        new(new EntityKey(Type, Name), (ItemStatus)Status, Seq, Version, UpdatedAtMs, ExistingId, (ItemRefusal)Refusal, Server, Document);
}

[GenerateSerializer, Immutable, Alias("mirubato.status")]
internal sealed record CarriedStatus(
    [property: Id(0)] Guid Epoch, [property: Id(1)] long First, [property: Id(2)] long Last, [property: Id(3)] long Horizon, [property: Id(4)] ulong DigestHigh,
    [property: Id(5)] ulong DigestLow, [property: Id(6)] long LastSyncMs, [property: Id(7)] long NotBeforeMs, [property: Id(8)] long CreatedMs,
    [property: Id(9)] bool DeviceRevoked, [property: Id(10)] int Devices, [property: Id(11)] int Connections, [property: Id(12)] Dictionary<string, int> LiveEntities)
{
    public static CarriedStatus Of(StatusReport status) => Of(status.Standing, status.Devices, status.Connections, new(status.LiveEntities));

    public static CarriedStatus Of(Standing at, int devices, int connections, Dictionary<string, int> liveEntities) => new(
        at.Epoch.Value, at.First.Number, at.Last.Number, at.Horizon.Number, (ulong)(at.Digest >> 64), (ulong)(at.Digest & ulong.MaxValue),
        at.LastSyncMs, at.NotBeforeMs, at.CreatedMs, at.DeviceRevoked, devices, connections, liveEntities);

    public StatusReport Open() => new(OpenStanding(), Devices, Connections, LiveEntities);

    public Standing OpenStanding() => new(
        new Epoch(Epoch), new Revision(First), new Revision(Last), new Revision(Horizon), new UInt128(DigestHigh, DigestLow), LastSyncMs, NotBeforeMs, CreatedMs, DeviceRevoked);
}

/// <summary>A commit on its way to a room.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.announcement")]
internal sealed record CarriedAnnouncement([property: Id(0)] Guid Epoch, [property: Id(1)] long After, [property: Id(2)] long Head, [property: Id(3)] CarriedRow[] Rows)
{
    public static CarriedAnnouncement Of(Announcement made) =>
        new(made.Epoch.Value, made.After.Number, made.Head.Number, [.. made.Rows.Select(CarriedRow.Of)]);

    public Announcement Open() => new(new Epoch(Epoch), new Revision(After), new Revision(Head), [.. Rows.Select(row => row.Open())]);
}

[GenerateSerializer, Immutable, Alias("mirubato.row")]
internal sealed record CarriedRow(
    [property: Id(0)] string Type, [property: Id(1)] string Name, [property: Id(2)] long Seq, [property: Id(3)] long Version, [property: Id(4)] long UpdatedAtMs,
    [property: Id(5)] long? DeletedAtMs, [property: Id(6)] ReadOnlyMemory<byte> Data, [property: Id(7)] string? ConnectionId, [property: Id(8)] bool? IsNew)
{
    public static CarriedRow Of(AnnouncedRow one) =>
        new(one.Row.Entity.Type, one.Row.Entity.Id, one.Row.Seq, one.Row.Version, one.Row.UpdatedAtMs, one.Row.DeletedAtMs, one.Row.Data, one.ConnectionId, one.IsNew);

    public AnnouncedRow Open() => new(new StoredRow(new EntityKey(Type, Name), Seq, Version, UpdatedAtMs, DeletedAtMs, Data), ConnectionId, IsNew);
}
