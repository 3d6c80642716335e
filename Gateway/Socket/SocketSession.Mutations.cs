using System.Diagnostics;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>Changes a client makes over its socket: one after the other, durable before they are acknowledged.</summary>
internal sealed partial class SocketSession
{
    // A document that changes faster than it can be read is sent as it was last read.
    private const int WinnerReadsMax = 8;

    private const int WinnersAtOnceMax = 4;

    // By the system's clock, as the buckets are refilled.
    private static readonly TimeSpan RateRetryEvery = TimeSpan.FromMilliseconds(100);

    private async ValueTask Mutate(SocketRequest.Mutation mutation, ReadOnlyMemory<byte> frame)
    {
        // Winners are of any size and cannot be dropped. From a client that does not read them, no more changes are read that may lose.
        await HalfDrained();
        // A client that writes faster than allowed is read from more slowly.
        while (!context.Rates.TryTake(who.User))
        {
            await Task.Delay(RateRetryEvery, over.Token);
            LastFrameMs = context.NowMs;
        }

        using var span = Tracing.StartTrace("mutation", ActivityKind.Server);
        using var timed = context.Metrics.Time("mutation");
        var (request, before) = Begin(mutation, frame);
        try
        {
            var answer = await context.Coordinators.For(who.User).Write(request, over.Token);
            if (answer is { Refusal: RequestRefusal.None, Replayed: true }) await SendWinnersAsStored(SocketAnswers.Beaten(answer.Body));
            if (answer.Refusal is RequestRefusal.None) await SendWinners(answer.Items ?? [], before);
            Conclude(mutation, answer);
        }
        catch (StoreUnavailableException away)
        {
            context.Metrics.StoreFailed(away.Reason);
            Fail(mutation, SocketErrorCode.Unavailable);
        }
        catch (Exception bug) when (bug is not OperationCanceledException and not FrameRefusedException)
        {
            Log.SocketFailed(context.Log, bug);
            Fail(mutation, SocketErrorCode.Internal);
        }
    }

    private (WriteRequest Request, long SentBefore) Begin(SocketRequest.Mutation mutation, ReadOnlyMemory<byte> frame)
    {
        lock (gate)
        {
            device ??= mutation.Device;
            var caller = Caller with { Device = mutation.Device ?? who.Device };
            var basis = position.BeginWrite();
            return (
                new WriteRequest(
                    caller, WriteScope.Socket, mutation.MutationId, frame, mutation.Changes, basis.Cursor,
                    ConnectionId: basis.Writer)
                { ItemsWanted = true, Merges = mutation.Merges }, basis.Sent);
        }
    }

    private void Conclude(SocketRequest.Mutation mutation, WriteAnswer answer)
    {
        switch (answer.Refusal)
        {
            case RequestRefusal.None:
                Acknowledge(mutation.MutationId, answer.Body);
                break;
            case RequestRefusal.SignedOut or RequestRefusal.DeviceRevoked:
                Close(CloseCode.SignedOut);
                break;
            case RequestRefusal.KeyReused:
                Fail(mutation, SocketErrorCode.MutationIdReused);
                break;
            case RequestRefusal.DeviceQuota:
                Fail(mutation, SocketErrorCode.DeviceQuota);
                break;
            default:
                Fail(mutation, SocketErrorCode.Unavailable);
                break;
        }
    }

    /// <summary>
    /// A device whose change lost receives the stored document, unless that, or something newer, was sent to it since the write began.
    /// </summary>
    private async ValueTask SendWinners(IReadOnlyList<ItemResult> items, long sentBefore)
    {
        var winners = items
            .Where(
                item =>
                    TakesCopy(item)
                        && !(item.Server.IsEmpty && item.Document.IsEmpty)
                        && !HasSentSinceWrite(item))
            .Select(RowFrames.Winner)
            .DistinctBy(row => row.Entity)
            .ToList();
        await SendWinners(winners, asOf: Math.Max(sentBefore, winners.Select(row => row.Seq).DefaultIfEmpty().Max()));
        await SendWinnersAsStored(
            items.Where(item => TakesCopy(item) && item.IsCopyLeftOut).Select(item => item.Entity).Distinct());
    }

    private bool HasSentSinceWrite(ItemResult item)
    {
        lock (gate) return position.HasSentSinceWrite(item.Entity, item.Seq);
    }

    /// <summary>Its sender is sent what is stored, without a place in the order.</summary>
    private static bool TakesCopy(ItemResult item) => item.Status is ItemStatus.Conflict || item.TookNoRevision;

    /// <summary>
    /// Winners that are not at hand: of an answer that had no room for them, or of an earlier answer that may never have arrived. A few at
    /// a time, and no faster than the client reads.
    /// </summary>
    private async ValueTask SendWinnersAsStored(IEnumerable<EntityKey> entities)
    {
        foreach (var some in entities.Chunk(WinnersAtOnceMax))
        {
            await HalfDrained();
            var (winners, asOf) = await Current(some);
            await SendWinners(winners, asOf);
        }
    }

    /// <summary>
    /// A winner has no place in the order, and existing clients overwrite plans with whatever comes last: behind a newer revision of it, it
    /// would undo that for good. So it goes out only if nothing later than what it was read with is on the way; else it is read again.
    /// </summary>
    private async ValueTask SendWinners(List<StoredRow> winners, long asOf)
    {
        for (var reads = 0; winners.Count > 0 && !TrySendWinners(winners, reads < WinnerReadsMax ? asOf : long.MaxValue); reads++)
        {
            (winners, asOf) = await Current(winners.Select(winner => winner.Entity));
        }
    }

    private bool TrySendWinners(List<StoredRow> winners, long asOf)
    {
        var frames = WindowFrames.List(winners, 0, null, context.Now).ToList();
        lock (gate)
        {
            if (!position.CanSendCopies(asOf)) return false;
            Apply(position.SendCopies(winners, frames));
            return true;
        }
    }

    /// <summary>The present state of these entities, and the revision up to which it is the newest.</summary>
    private async ValueTask<(List<StoredRow> Rows, long AsOf)> Current(IEnumerable<EntityKey> entities)
    {
        var (rows, asOf) = (new List<StoredRow>(), long.MaxValue);
        foreach (var key in entities)
        {
            var page = await context.Reader.Read(Caller, ReadQuery.From(key), over.Token);
            asOf = Math.Min(asOf, page.HistoryState.Last.Number);
            if (page.Rows is [var row] && row.Entity == key) rows.Add(row);
        }

        return (rows, asOf);
    }

    private void Acknowledge(string? mutationId, ReadOnlyMemory<byte> answer)
    {
        var seq = SocketAnswers.Seq(answer.Span);
        lock (gate) Apply(position.Acknowledge(seq, named => SocketFrames.Acknowledged(context.Now, named, mutationId, answer.Span)));
    }

    private void Fail(SocketRequest.Mutation mutation, SocketErrorCode code)
    {
        var error = SocketFrames.Error(context.Now, new SocketError(code, MutationId: mutation.MutationId));
        lock (gate) Apply(position.FailWrite(error));
    }
}
