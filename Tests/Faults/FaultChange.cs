using System.Text.Json.Nodes;

namespace Mirubato.Tests.Faults;

/// <summary>What a change does to one entity.</summary>
/// <param name="Marker">Stands in the document's notes, and nowhere else in the world.</param>
/// <param name="Base">The version its device had seen when it made it.</param>
internal sealed record FaultItem(FaultEntity Entity, bool IsDelete, string Marker, long ClientMs, long? Base);

/// <summary>
/// One action of one device: by HTTP, by socket, or by both with the same clock. Its bytes never change, however often it is sent.
/// </summary>
internal sealed class FaultChange
{
    private const int FillBytes = 3_000;

    private readonly bool namesDeviceOnSocket;

    public FaultChange(string user, string device, IReadOnlyList<FaultItem> items, bool legacy, string? token)
    {
        User = user;
        Device = device;
        Items = items;
        namesDeviceOnSocket = !legacy;
        Body = Items[0].Entity.Type.Section is { } section ? Push(section, token) : Batch(token);
        if (items.Count == 1) Frame = Event(items[0]);
        if (!legacy) SocketKey = "s-" + items[0].Marker;
    }

    public string User { get; }

    public string Device { get; }

    public IReadOnlyList<FaultItem> Items { get; }

    public string Key => "h-" + Items[0].Marker;

    /// <summary>Existing clients send none.</summary>
    public string? SocketKey { get; }

    public string Path => Items[0].Entity.Type.Section is null ? "/api/sync/batch" : "/api/sync/push";

    public string Body { get; }

    /// <summary>Null: too many for one event.</summary>
    public string? Frame { get; }

    /// <summary>What is yet to be sent on each path.</summary>
    public bool ByHttp { get; set; }

    public bool BySocket { get; set; }

    /// <summary>The answers it was acknowledged with; every later one must be the same.</summary>
    public string? HttpAnswer { get; set; }

    public string? SocketAnswer { get; set; }

    public long? TokenSeq { get; init; }

    /// <summary>The socket that took its frame last.</summary>
    public FaultSocket? SentOn { get; set; }

    /// <summary>The socket answered that the store was away: nothing else comes of it there.</summary>
    public bool IsUnavailable { get; set; }

    /// <summary>An answer said that its only item lost.</summary>
    public bool IsBeaten { get; set; }

    public override string ToString() => $"{Device} {(Items[0].IsDelete ? "deletes" : "saves")} {Items[0].Entity} ({Items[0].Marker})";

    /// <summary>What a device that made it keeps.</summary>
    public ReceivedEntity Copy =>
        new(Items[0].Entity, 0, Items[0].ClientMs, Items[0].Marker, Document(Items[0], namesBase: false).ToJsonString());

    private string Push(string section, string? token)
    {
        var documents = Items.Select(item => Document(item, namesBase: true)).ToArray<JsonNode>();
        var changes = new JsonObject { [section] = Items[0].Entity.Type.IsPreferences ? documents[0] : new JsonArray(documents) };
        return new JsonObject { ["changes"] = changes, ["lastSyncToken"] = token }.ToJsonString();
    }

    private string Batch(string? token)
    {
        var entities = Items.Select(item => new JsonObject
        {
            ["type"] = item.Entity.Type.Name,
            ["id"] = item.Entity.Id,
            ["data"] = Document(item, namesBase: false),
            ["baseVersion"] = item.Base,
            ["deleted"] = item.IsDelete,
        });
        return new JsonObject { ["entities"] = new JsonArray([.. entities]), ["syncToken"] = token }.ToJsonString();
    }

    private JsonObject Document(FaultItem item, bool namesBase)
    {
        var document = new JsonObject { [item.Entity.Type.IdInDocument] = item.Entity.Id, ["updatedAt"] = FaultFrames.Iso(item.ClientMs) };
        if (item.IsDelete) document["deletedAt"] = FaultFrames.Iso(item.ClientMs);
        else document["notes"] = item.Marker;
        if (namesBase && item.Base is { } version) document["baseVersion"] = version;
        if (Items.Count > 1) document["fill"] = new string('x', FillBytes);
        return document;
    }

    private string Event(FaultItem item)
    {
        var type = item.Entity.Type;
        var frame = new JsonObject
        {
            ["type"] = item.IsDelete ? type.Delete ?? "ENTITY_DELETED" : type.Upsert,
            ["timestamp"] = FaultFrames.Iso(item.ClientMs),
        };
        if (namesDeviceOnSocket)
        {
            frame["mutationId"] = "s-" + item.Marker;
            frame["deviceId"] = Device;
        }

        if (item.Base is { } version) frame["baseVersion"] = version;
        if (item.IsDelete && type.Delete is not null)
        {
            frame[type.IdMember!] = item.Entity.Id;
            return frame.ToJsonString();
        }

        if (item.IsDelete || type.Upsert == "ENTITY_UPDATED")
        {
            frame["entityType"] = type.Name;
            frame["entityId"] = item.Entity.Id;
        }

        if (!item.IsDelete) frame[type.Payload] = BySocketPath(item);
        return frame.ToJsonString();
    }

    /// <summary>The two paths of existing clients differ in nulls, defaults and generated ids of pieces.</summary>
    private JsonObject BySocketPath(FaultItem item)
    {
        var document = Document(item, namesBase: false);
        if (!namesDeviceOnSocket) document["composer"] = null;
        return document;
    }
}
