namespace Mirubato.Tests.Faults;

/// <summary>
/// One device under faults. A <em>legacy</em> one behaves as the existing web client (see <see cref="Support.Device"/>): each action by
/// HTTP and by socket, its id on one path only, no mutation ids, short drops without asking, merging by <c>updatedAt</c> alone, plans
/// overwriting, its whole logbook pushed at a page load. The others follow docs/protocol.md: mutation ids and keys repeated until
/// acknowledged, bases, versions.
/// </summary>
internal sealed partial class FaultDevice(FaultWorld world, int number, string user, bool legacy) : IAsyncDisposable
{
    /// <summary>Devices of a user.</summary>
    public const int PerUser = 4;

    private const int FloodItems = 280;
    private const int DoneMax = 50;
    private const int StoryMax = 8;

    private readonly Lock gate = new();
    private readonly Dictionary<FaultEntity, ReceivedEntity> held = [];
    private readonly Dictionary<FaultEntity, List<string>> stories = [];
    private readonly Dictionary<FaultEntity, FaultChange> unopposed = [];
    private readonly List<FaultChange> pending = [];
    private readonly List<FaultChange> done = [];
    private readonly Bell bell = new();
    private readonly CancellationTokenSource over = new();
    private readonly List<Task> loops = [];
    private string epoch = "";
    private long cursor;
    private long lastMs;
    private int made;
    private bool isOffline;
    private bool isLoading;

    public string Name => $"{user}d{number}";

    public string User => user;

    public bool IsLegacy => legacy;

    /// <summary>What it holds that is not deleted.</summary>
    public IReadOnlyDictionary<FaultEntity, ReceivedEntity> Live
    {
        get
        {
            lock (gate) return held.Where(one => !one.Value.IsDeleted).ToDictionary();
        }
    }

    /// <summary>Why it holds what it holds: what it changed and what it received, with times, the last at the end.</summary>
    public string Story(FaultEntity entity)
    {
        lock (gate)
        {
            var own = unopposed.GetValueOrDefault(entity);
            var answers = own is null
                ? ""
                : $" | answered by HTTP {own.HttpAnswer ?? "-"}, by socket {own.SocketAnswer ?? "-"}, sent on {Path(own)}";
            return string.Join(" | ", stories.GetValueOrDefault(entity, []).TakeLast(StoryMax)) + answers;
        }
    }

    /// <summary>The socket on which it was sent, and the first frames that came there since it was made.</summary>
    private string Path(FaultChange own)
    {
        if (own.SentOn is not { Trail: var trail } on) return "no socket";
        var madeAt = DateTimeOffset.FromUnixTimeMilliseconds(own.Items[0].ClientMs);
        var came = trail.Points.Where(point => point.At >= madeAt).Take(StoryMax).Select(point => $"{point.At:ss.fff} {point.Text}");
        return $"{trail}{(on == socket ? "" : ", which is over")}{(own.IsUnavailable ? ", unavailable" : "")}, where came "
            + string.Join(" / ", came);
    }

    /// <summary>
    /// Its own change lost, which only an answer over HTTP has said, because the socket that would have said it broke, or answered while
    /// the store was away. Existing clients do not read that in an answer, and know it from the next page load on.
    /// </summary>
    public bool CannotKnow(FaultEntity entity)
    {
        lock (gate)
            return legacy && unopposed.TryGetValue(entity, out var own) && own.IsBeaten && own.SentOn is { } on
                && (on != socket || own.IsUnavailable);
    }

    public async Task Start()
    {
        epoch = await Epoch();
        loops.Add(KeepConnected());
        loops.Add(KeepPosting());
    }

    public async Task Play(IEnumerable<FaultStep> steps)
    {
        foreach (var step in steps)
        {
            await world.At(step.AtMs);
            await Do(step);
        }
    }

    /// <summary>Everything of its own is acknowledged, and everything sent to it has been taken in.</summary>
    public async Task Flush(TimeSpan patience)
    {
        lock (gate) isOffline = false;
        bell.Ring();
        await bell.Until(IsFlushed, patience, () => $"{Name} still waits: {Describe()}");
    }

    public Task Reach(long head, TimeSpan patience) =>
        bell.Until(() => Cursor >= head && IsFlushed(), patience, () => $"{Name} stands at {Cursor} of {head}: {Describe()}");

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        bell.Ring();
        await DropSocket();
        await Task.WhenAll(loops);
        over.Dispose();
        http.Dispose();
    }

    private long Cursor
    {
        get
        {
            lock (gate) return cursor;
        }
    }

    private async Task Do(FaultStep step)
    {
        world.Count(step.Act.ToString());
        switch (step.Act)
        {
            case Act.Save or Act.Delete:
                Change([Item(step)], step);
                break;
            case Act.Flood:
                Change([.. Enumerable.Range(0, FloodItems).Select(i => FloodItem(step, i))], step with { Paths = 1 });
                break;
            case Act.Offline:
                await Offline(step.ForMs);
                break;
            case Act.Drop:
                await DropSocket();
                break;
            case Act.Stall:
                _ = Stall(step.ForMs);
                break;
            case Act.PageLoad:
                await PageLoad();
                break;
            case Act.Resend:
                Resend(step);
                break;
        }
    }

    private FaultItem Item(FaultStep step)
    {
        var type = FaultType.All[step.Type];
        var entity = new FaultEntity(type, type.Id(user, step.Number));
        return new FaultItem(entity, step.Act is Act.Delete, $"{Name}-{++made}", NextMs(), step.ForMs % 2 == 0 ? Base(entity) : null);
    }

    private FaultItem FloodItem(FaultStep step, int i)
    {
        var type = FaultType.Find(step.Type % 2 == 0 ? "logbook_entry" : "goal");
        return new FaultItem(new FaultEntity(type, $"{Name}-flood{step.AtMs}-{i}"), false, $"{Name}-{++made}", NextMs(), null);
    }

    /// <summary>What it has seen and did not change since.</summary>
    private long? Base(FaultEntity entity)
    {
        lock (gate)
        {
            if (legacy || pending.Exists(change => change.Items.Any(item => item.Entity == entity))) return null;
            return held.TryGetValue(entity, out var copy) && !copy.IsDeleted ? copy.Version : null;
        }
    }

    private void Change(IReadOnlyList<FaultItem> items, FaultStep step)
    {
        lock (gate)
        {
            // A base only counts under a token; without one the write is answered with "from the start".
            var asOf = items[0].Base is null ? (long?)null : cursor;
            var change = new FaultChange(user, Name, items, legacy, asOf is null ? null : $"{epoch}.{asOf}") { TokenSeq = asOf };
            change.ByHttp = legacy || change.Frame is null || (step.Paths & 1) > 0;
            change.BySocket = change.Frame is not null && (legacy || (step.Paths & 2) > 0);
            if (legacy && items.Count == 1)
            {
                if (items[0].IsDelete) held.Remove(items[0].Entity);
                else held[items[0].Entity] = change.Copy;
            }
            if (items.Count == 1) unopposed[items[0].Entity] = change;
            if (items.Count == 1) Tell(items[0].Entity, $"own {(items[0].IsDelete ? "delete" : items[0].Marker)}");

            pending.Add(change);
            world.Changes.Enqueue(change);
        }

        bell.Ring();
    }

    /// <summary>Sends again what was acknowledged: its first answer must come back.</summary>
    private void Resend(FaultStep step)
    {
        lock (gate)
        {
            if (done.Count == 0) return;
            var change = done[step.Number * 7 % done.Count];
            if (pending.Contains(change)) return;
            change.ByHttp = change.HttpAnswer is not null && step.Paths != 2;
            change.BySocket = change.SocketAnswer is not null && change.SocketKey is not null && !change.ByHttp;
            if (change.ByHttp || change.BySocket) pending.Add(change);
        }

        bell.Ring();
    }

    private async Task Offline(int milliseconds)
    {
        lock (gate) isOffline = true;
        await DropSocket();
        _ = ComeBack();

        async Task ComeBack()
        {
            await FaultWorld.For(milliseconds);
            lock (gate) isOffline = false;
            bell.Ring();
        }
    }

    private async Task PageLoad()
    {
        lock (gate) isLoading = legacy;
        await DropSocket();
        if (legacy) await PushAll();
    }

    private void Settled(FaultChange change)
    {
        if (change.ByHttp || change.BySocket || !pending.Remove(change)) return;
        if (done.Count == DoneMax) done.RemoveAt(0);
        if (!done.Contains(change)) done.Add(change);
    }

    /// <summary>Existing clients keep no tombstones, compare clocks and overwrite plans; the others go by versions.</summary>
    /// <param name="by">The frame or answer that brought it.</param>
    private void Merge(ReceivedEntity received, string by)
    {
        unopposed.Remove(received.Entity);
        Tell(received.Entity, $"{(received.IsDeleted ? "deleted" : received.Marker)} version {received.Version} by {by}");
        var knows = held.TryGetValue(received.Entity, out var mine);
        if (!legacy)
        {
            if (!knows || received.Version > mine.Version) held[received.Entity] = received;
        }
        else if (received.IsDeleted) held.Remove(received.Entity);
        else if (!knows || received.Entity.Type.IsPlan || received.UpdatedMs > mine.UpdatedMs) held[received.Entity] = received;
    }

    private void Tell(FaultEntity entity, string what)
    {
        if (!stories.TryGetValue(entity, out var story)) stories[entity] = story = [];
        story.Add($"{world.NowMs} ms: {what}");
    }

    /// <summary>
    /// Devices of one user never write the same millisecond: rule 2 would take two actions for one. The past, so that no clock runs ahead.
    /// </summary>
    private long NextMs()
    {
        var slot = (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / PerUser) - 1;
        return lastMs = Math.Max((slot * PerUser) + (number % PerUser), lastMs + PerUser);
    }

    private bool IsFlushed()
    {
        lock (gate) return pending.Count == 0 && socket is { } open && isSynced && open.IsQuiet;
    }

    private string Describe()
    {
        lock (gate) return $"{(socket is null ? "no socket" : isSynced ? "a socket" : "a socket that was not told all")}, {lastFailure}, {(socket?.IsQuiet is true ? "" : "not ")}quiet, silent for {socket?.SilentMs} ms, pending: {string.Join(", ", pending.Select(change => $"{change}{(change.ByHttp ? " http" : "")}{(change.BySocket ? " socket" : "")}{(sentHere.Contains(change) ? " sent" : "")}").Take(5))}; last heard: {string.Join(" | ", socket?.Trail.Points.Where(point => !point.Text.StartsWith("{\"type\":\"PONG", StringComparison.Ordinal)).TakeLast(8).Select(point => point.Text) ?? [])}";
    }
}
