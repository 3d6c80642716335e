using System.Text.Json;
using System.Text.Json.Nodes;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Sockets;

namespace Mirubato.Tests.Support;

/// <summary>
/// Behaves as the existing web client does: it keeps entries, pieces and plans, sends each action by HTTP and by socket with the same clock
/// and its device id on one path only, pushes its whole logbook before it listens, keeps the highest seq of any frame as its cursor, merges
/// by <c>updatedAt</c> alone (strictly greater wins) but lets plans overwrite, and flushes a queue that overflowed newest first.
/// </summary>
internal sealed class Device(LiveServer server, string user, string name, Func<long> clockMs) : IAsyncDisposable
{
    private const int QueueMax = 200;

    private readonly HttpDevice http = server.Device(user, name);
    private readonly Dictionary<string, JsonObject> entries = [];
    private readonly Dictionary<string, JsonObject> plans = [];
    private readonly List<string> queue = [];
    private SocketClient? socket;
    private bool overflowed;
    private int received;
    private long lastMs;

    /// <summary>As the client keeps it in memory: it goes with the page.</summary>
    public long Cursor { get; private set; }

    public IReadOnlyDictionary<string, JsonObject> Entries => entries;

    public IReadOnlyDictionary<string, JsonObject> Plans => plans;

    public IReadOnlyList<string> Faults => socket?.Faults ?? [];

    /// <summary>A page load: the whole logbook is pushed before anything is received, and the cursor is lost.</summary>
    public async Task Start()
    {
        Cursor = 0;
        if (entries.Count > 0) await PushAll();
        await Connect(asks: true);
    }

    /// <summary>A short drop: it comes back without asking.</summary>
    public async Task Reconnect() => await Connect(asks: false);

    public async Task Drop()
    {
        if (socket is null) return;
        Hear();
        await socket.DisposeAsync();
        socket = null;
    }

    public Task Save(string id, string notes)
    {
        var at = Iso();
        var entry = new JsonObject { ["id"] = id, ["notes"] = notes, ["composer"] = null, ["createdAt"] = at, ["updatedAt"] = at };
        if (entries.TryGetValue(id, out var before)) entry["createdAt"] = before["createdAt"]?.DeepClone();
        entries[id] = entry;
        // The two paths differ in generated piece ids, nulls and defaults.
        var bySocket = (JsonObject)entry.DeepClone();
        bySocket.Remove("composer");
        bySocket["pieces"] = new JsonArray(new JsonObject { ["id"] = Guid.NewGuid().ToString("n"), ["title"] = notes });
        entry["pieces"] = new JsonArray(new JsonObject { ["id"] = Guid.NewGuid().ToString("n"), ["title"] = notes });
        return Act(
            $"\"entries\":[{entry.ToJsonString()}]",
            $$"""{"type":"ENTRY_UPDATED","timestamp":"{{at}}","entry":{{bySocket.ToJsonString()}}}""");
    }

    public Task Delete(string id)
    {
        var at = Iso();
        entries.Remove(id);
        return Act(
            $"\"entries\":[{{\"id\":\"{id}\",\"deletedAt\":\"{at}\"}}]",
            $$"""{"type":"ENTRY_DELETED","timestamp":"{{at}}","entryId":"{{id}}"}""");
    }

    /// <summary>Plans go by socket alone.</summary>
    public Task SavePlan(string id, string title)
    {
        var at = Iso();
        plans[id] = new JsonObject { ["id"] = id, ["title"] = title, ["updatedAt"] = at };
        return Send($$"""{"type":"PLAN_UPDATED","timestamp":"{{at}}","plan":{{plans[id].ToJsonString()}}}""");
    }

    /// <summary>Takes in all that was sent before this.</summary>
    public async Task Settle()
    {
        if (socket is null) return;
        await socket.Settle();
        Hear();
    }

    /// <summary>Until the cursor has come so far.</summary>
    public async Task Reach(long seq)
    {
        while (socket is not null && socket.Cursor < seq) await socket.Next();
        Hear();
    }

    public async ValueTask DisposeAsync()
    {
        if (socket is not null) await socket.DisposeAsync();
        http.Dispose();
    }

    private async Task Act(string push, string frame)
    {
        // By HTTP with the device's id, by socket without it, neither waiting for the other.
        var stored = socket is null ? Task.CompletedTask : http.Push(push);
        await Send(frame);
        await stored;
    }

    private async Task Send(string frame)
    {
        if (socket is not null)
        {
            await socket.Send(frame);
            return;
        }

        queue.Add(frame);
        if (queue.Count <= QueueMax) return;
        overflowed = true;
        queue.RemoveAt(0);
    }

    private Task<JsonElement> PushAll() =>
        http.Push($"\"entries\":[{string.Join(',', entries.Values.Select(entry => entry.ToJsonString()))}]");

    private async Task Connect(bool asks)
    {
        socket = await SocketClient.Open(server.Url, user);
        received = 0;
        await socket.Next("WELCOME");
        if (asks) await socket.Send(Cursor == 0 ? """{"type":"SYNC_REQUEST"}""" : $$"""{"type":"SYNC_REQUEST","lastSeq":{{Cursor}}}""");
        if (overflowed) queue.Reverse();
        foreach (var frame in queue) await socket.Send(frame);
        queue.Clear();
        overflowed = false;
        if (asks)
        {
            await socket.Until(
                frame =>
                    SocketClient.Type(frame) == "SYNC_RESPONSE"
                        && frame.GetProperty("message").GetString() is "Sync complete" or "No new data to sync");
        }
        Hear();
    }

    private void Hear()
    {
        for (; socket is not null && received < socket.Seen.Count; received++) Take(socket.Seen[received]);
        Cursor = Math.Max(Cursor, socket?.Cursor ?? 0);
    }

    private void Take(JsonElement frame)
    {
        switch (SocketClient.Type(frame))
        {
            case "ENTRY_CREATED" or "ENTRY_UPDATED":
                Merge(frame.GetProperty("entry"));
                break;
            case "BULK_SYNC":
                foreach (var entry in frame.GetProperty("entries").EnumerateArray()) Merge(entry);
                break;
            case "ENTRY_DELETED":
                entries.Remove(frame.GetProperty("entryId").GetString()!);
                break;
            case "PLAN_CREATED" or "PLAN_UPDATED":
                var plan = JsonNode.Parse(frame.GetProperty("plan").GetRawText())!.AsObject();
                plans[(string)plan["id"]!] = plan;
                break;
            case "PLAN_DELETED":
                plans.Remove(frame.GetProperty("planId").GetString()!);
                break;
        }
    }

    private void Merge(JsonElement sent)
    {
        var entry = JsonNode.Parse(sent.GetRawText())!.AsObject();
        var id = (string)entry["id"]!;
        if (!entries.TryGetValue(id, out var mine) || string.CompareOrdinal((string)entry["updatedAt"]!, (string)mine["updatedAt"]!) > 0)
        {
            entries[id] = entry;
        }
    }

    /// <summary>Two actions of one person are a moment apart.</summary>
    private string Iso()
    {
        lastMs = Math.Max(clockMs(), lastMs + 1);
        return DateTimeOffset.FromUnixTimeMilliseconds(lastMs).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
    }
}
