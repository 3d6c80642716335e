using System.Net.WebSockets;
using System.Text.Json;

namespace Mirubato.Tests.Faults;

/// <summary>Its socket: on any gateway, again and again.</summary>
internal sealed partial class FaultDevice
{
    private const int BackoffMs = 50;
    private const int BackoffMostMs = 1_000;
    private const int SilenceMs = 3_000;
    private const int ShortDropMs = 15_000;

    private readonly Random whereToConnect = new(unchecked((world.Seed * 31) + number));
    private readonly HashSet<FaultChange> sentHere = [];
    private FaultSocket? socket;
    private bool isSynced;
    private string lastFailure = "";
    private bool wasCaughtUp;
    private long? endedMs;

    /// <summary>Connected again within what time, after each end of a socket.</summary>
    public List<long> GapsMs { get; } = [];

    public async Task DropSocket()
    {
        FaultSocket? dropped;
        lock (gate) (dropped, socket) = (socket, null);
        if (dropped is not null) await dropped.DisposeAsync();
    }

    private async Task KeepConnected()
    {
        var failures = 0;
        long? gapFromMs = null;
        while (!over.IsCancellationRequested)
        {
            var next = bell.Next;
            bool wait;
            lock (gate) wait = isOffline;
            if (wait)
            {
                gapFromMs = null;
                await next;
                continue;
            }

            var gateway = world.Gateways[whereToConnect.Next(world.Gateways.Count)];
            try
            {
                var open = await Connect(gateway);
                if (gapFromMs is { } since) GapsMs.Add(world.NowMs - since);
                failures = 0;
                await Serve(open);
                gapFromMs = endedMs = world.NowMs;
                // A replay without a request has no end, so the next socket sends a request.
                wasCaughtUp = open.Trail.Asked && isSynced;
                NoteEnd(open);
                await open.DisposeAsync();
            }
            catch (Exception failure) when (failure is WebSocketException or OperationCanceledException or HttpRequestException)
            {
                lastFailure = failure.Message;
                await FaultWorld.For(Math.Min(BackoffMs << Math.Min(failures++, 10), BackoffMostMs));
            }
        }
    }

    private async Task<FaultSocket> Connect(Uri gateway)
    {
        lock (gate)
        {
            // A page that has just loaded knows of no socket before.
            if (isLoading) (isLoading, wasCaughtUp, cursor) = (false, false, 0);
        }

        // An existing client sends no request after a short drop of a socket that was caught up; the server replays the last minute.
        var isShort = wasCaughtUp && world.NowMs - endedMs < ShortDropMs;
        var asks = !legacy || Cursor == 0 || !isShort;
        var trail = new SocketTrail(Name, gateway, user, Cursor, asks);
        var open = await FaultSocket.Open(gateway, user, trail, frame => Take(trail, frame));
        world.Trails.Enqueue(trail);
        lock (gate)
        {
            sentHere.Clear();
            isSynced = !asks;
            socket = open;
        }

        try
        {
            if (!asks) await open.Ping();
            else await open.Send(
                trail.From == 0 ? """{"type":"SYNC_REQUEST"}""" : $$"""{"type":"SYNC_REQUEST","lastSeq":{{trail.From}}}""");
            return open;
        }
        catch (Exception failure) when (
            failure is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            await open.DisposeAsync();
            throw new WebSocketException(failure.Message, failure);
        }
    }

    /// <summary>
    /// Sends what waits, until the socket is over, or was silent for so long that one who asks every second takes it for dead.
    /// </summary>
    private async Task Serve(FaultSocket open)
    {
        try
        {
            while (!over.IsCancellationRequested && !open.Over.IsCompleted)
            {
                var next = bell.Next;
                while (TakeForSocket(open) is { } change)
                {
                    open.Trail.Sent(change);
                    await open.Send(change.Frame!);
                }

                await Task.WhenAny(next, open.Over, FaultWorld.For(SilenceMs / 3));
                if (!legacy && open.SilentMs > SilenceMs && !open.IsStalled) open.Cut();
                if (open.SilentMs > SilenceMs / 3) await open.Ping();
            }
        }
        catch (Exception failure) when (
            failure is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            lastFailure = failure.Message;
        }

        lock (gate)
        {
            if (socket == open) socket = null;
        }
    }

    private void NoteEnd(FaultSocket ended)
    {
        if (ended.CloseCode is not { } code) return;
        world.Count($"closed with {code}");
        if (code is not (1012 or 4429)) world.Fault($"{Name} was closed with {code}");
    }

    private FaultChange? TakeForSocket(FaultSocket open)
    {
        lock (gate)
        {
            if (socket != open) return null;
            var change = pending.Find(one => one.BySocket && !sentHere.Contains(one));
            if (change is null) return null;
            sentHere.Add(change);
            change.SentOn = open;
            // Without a mutation id an answer cannot be matched, nor a mutation repeated: existing clients rely on HTTP beside it.
            if (legacy)
            {
                change.BySocket = false;
                Settled(change);
            }

            return change;
        }
    }

    private void Take(SocketTrail trail, JsonElement frame)
    {
        lock (gate)
        {
            cursor = Math.Max(cursor, trail.Cursor);
            if (trail.Answers(frame) is { } change) Answered(change, frame);
            else if (frame.GetProperty("type").GetString() is "ERROR") Failed(trail, frame);
            else if (
                frame.GetProperty("type").GetString() is "SYNC_RESPONSE"
                    && frame.GetProperty("message").GetString() is "Sync complete" or "No new data to sync")
            {
                isSynced = true;
            }
            foreach (var received in FaultFrames.Received(frame, user))
                Merge(received, $"{frame.GetProperty("type").GetString()} on {trail}");
        }

        bell.Ring();
    }

    /// <summary>
    /// Of a change without a mutation id, so it is not said which: of those that were sent there and are not answered, any may be it.
    /// </summary>
    private void Failed(SocketTrail trail, JsonElement frame)
    {
        var code = frame.GetProperty("code").GetString();
        world.Count($"answered {code} without an id");
        if (code is not "UNAVAILABLE") world.Fault($"{Name} was answered {frame}");
        foreach (var change in unopposed.Values.Where(change => change.SentOn?.Trail == trail)) change.IsUnavailable = true;
    }

    private void Answered(FaultChange change, JsonElement frame)
    {
        if (frame.GetProperty("type").GetString() is "ERROR")
        {
            var code = frame.GetProperty("code").GetString();
            world.Count($"answered {code}");
            if (code is not "UNAVAILABLE") world.Fault($"{change} was answered {frame}");
            change.IsUnavailable = true;
            if (!legacy) _ = Later(change);
            return;
        }

        var answer = string.Join(
            ' ',
            new[] { "status", "seq", "version", "updatedAt" }.Select(
                member => frame.TryGetProperty(member, out var value) ? value.ToString() : "-"));
        if (change.SocketKey is not null && change.SocketAnswer is { } first && first != answer)
        {
            world.Fault($"{change} by socket was answered '{first}', and when it was sent again '{answer}'");
        }
        if (change.SocketAnswer is not null) world.Count("repeated by socket");
        change.SocketAnswer = answer;
        sentHere.Remove(change);
        change.BySocket = false;
        var version = frame.TryGetProperty("version", out var named) ? named.GetInt64() : (long?)null;
        Acknowledge(
            change, change.Items[0], frame.GetProperty("status").GetString()!, version,
            frame.TryGetProperty("updatedAt", out var at) ? FaultFrames.Ms(at) : 0, "socket");
        Settled(change);
    }

    private async Task Later(FaultChange change)
    {
        await FaultWorld.For(BackoffMs * 4);
        lock (gate) sentHere.Remove(change);
        bell.Ring();
    }

    private void Acknowledge(FaultChange change, FaultItem item, string status, long? version, long updatedMs, string by)
    {
        world.Acknowledgements.Enqueue(new Acknowledged(change, item, status, version, by));
        world.Count($"{by} {status}");
        if (status is "created" or "updated" or "deleted" or "unchanged" && version is { } known && !legacy)
            Merge(new ReceivedEntity(item.Entity, known, updatedMs, item.IsDelete ? null : item.Marker), $"{by} {status}");
    }

    private async Task Stall(int milliseconds)
    {
        FaultSocket? open;
        lock (gate) open = socket;
        if (open is not null) await open.Stall(FaultWorld.For(milliseconds));
    }
}
