using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// The sockets of one user in this process. It keeps the revision it has announced: a commit made here that continues it is announced
/// from memory; at anything else it reads what lies behind it from the store and announces that, in order. So hints may be late,
/// doubled or lost. A frame is built once, its bytes shared by all who get it.
/// </summary>
internal sealed class Room(UserId user, SocketContext context) : IRoom
{
    private const int LatelyMax = 64;
    private static readonly TimeSpan StoreRetry = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly List<SocketSession> sessions = new(1);
    private readonly List<Announcement> waiting = [];
    private Queue<(EntityKey Entity, long Seq)>? lately;
    private SyncToken? announced;
    private int reserved;
    private bool isReading;
    private bool isStale;

    public UserId User => user;

    public bool IsEmpty => sessions.Count == 0;

    public SyncToken? Announced => announced;

    public IReadOnlyList<SocketSession> Sessions
    {
        get
        {
            lock (gate) return [.. sessions];
        }
    }

    /// <summary>Keeps a place for a socket that is about to open. False when the user has as many as may be, and none silent for so long that it could go.</summary>
    public bool TryReserve()
    {
        lock (gate)
        {
            var open = sessions.FindAll(other => other.IsOpen);
            if (open.Count + reserved >= SocketLimits.ConnectionsPerUserMax)
            {
                var silent = open.Where(other => context.NowMs - other.LastFrameMs > SocketLimits.EvictSilentMs).MinBy(other => other.LastFrameMs);
                if (silent is null) return false;
                silent.Close(CloseCode.Evicted);
            }

            reserved++;
            return true;
        }
    }

    public void GiveBack()
    {
        lock (gate) reserved--;
    }

    public void Enter(SocketSession session)
    {
        lock (gate)
        {
            reserved--;
            sessions.Add(session);
        }
    }

    public void Leave(SocketSession session)
    {
        lock (gate) sessions.Remove(session);
    }

    public void Tick(long nowMs)
    {
        lock (gate)
        {
            foreach (var session in sessions) session.Tick(nowMs);
        }
    }

    public void Announce(Announcement announcement)
    {
        var head = new SyncToken(announcement.Epoch, announcement.Head);
        context.Heads.Note(user, head);
        lock (gate)
        {
            if (!HasListeners)
            {
                announced = announced is { } known && known.Epoch == head.Epoch && known.Seq.IsAfter(head.Seq) ? known : head;
                return;
            }

            if (IsKnown(head)) return;
            if (!isReading && announced == new SyncToken(announcement.Epoch, announcement.After)) Take(announcement);
            else Wait(announcement);
        }
    }

    /// <summary>The history may have gone on elsewhere.</summary>
    public void Heard(SyncToken head)
    {
        lock (gate)
        {
            if (HasListeners && !IsKnown(head)) StartReading();
        }
    }

    /// <summary>A socket that has been sent everything up to <paramref name="upTo"/> goes live, unless more has been announced meanwhile.</summary>
    public bool Join(SocketSession session, Run run, SyncToken upTo)
    {
        lock (gate)
        {
            if (announced is not { } known || (!HasListeners && known.Epoch != upTo.Epoch)) announced = known = upTo;
            if (known.Epoch != upTo.Epoch)
            {
                StartReading();
                return false;
            }

            if (known.Seq.IsAfter(upTo.Seq)) return false;
            if (!HasListeners) announced = upTo;
            else if (upTo.Seq.IsAfter(known.Seq)) StartReading();
            context.Heads.Note(user, upTo);
            return session.GoLive(run, upTo.Seq.Number);
        }
    }

    /// <summary>The last revision of an entity that this room announced not long ago.</summary>
    public long? LatelyAnnounced(EntityKey entity)
    {
        lock (gate) return LatestOf(entity);
    }

    private bool HasListeners => sessions.Exists(session => session.IsLive);

    private bool IsKnown(SyncToken head) => announced is { } known && known.Epoch == head.Epoch && !head.Seq.IsAfter(known.Seq);

    private void Take(Announcement announcement)
    {
        Tell(announcement.Rows, announced!.Value.Seq.Number);
        announced = new SyncToken(announcement.Epoch, announcement.Head);
    }

    /// <summary>What lies before it must be read first. Past the bound the store is asked for all of it.</summary>
    private void Wait(Announcement announcement)
    {
        if (waiting.Count == SocketLimits.AnnouncementsWaitingMax) waiting.RemoveAt(0);
        waiting.Add(announcement);
        StartReading();
    }

    private void Tell(IReadOnlyList<AnnouncedRow> rows, long after)
    {
        if (rows.Count > SocketLimits.AnnouncedRowsMax)
        {
            foreach (var session in sessions) session.ReadOn();
            return;
        }

        rows = WithEchoes(rows);
        foreach (var frame in RowFrames.Stream(rows, after, context.Now, entity => LatestOf(entity) is not null))
        {
            foreach (var session in sessions) session.Offer(frame);
        }

        Note(rows);
    }

    private long? LatestOf(EntityKey entity)
    {
        long? latest = null;
        foreach (var (named, seq) in lately ?? [])
        {
            if (named == entity) latest = seq;
        }

        return latest;
    }

    private void Note(IReadOnlyList<AnnouncedRow> rows)
    {
        lately ??= new Queue<(EntityKey, long)>();
        foreach (var (row, _, _) in rows)
        {
            if (lately.Count == LatelyMax) lately.Dequeue();
            lately.Enqueue((row.Entity, row.Seq));
        }
    }

    /// <summary>A sender that must hear one of its own changes hears all of them: then no acknowledgement stands between two.</summary>
    private IReadOnlyList<AnnouncedRow> WithEchoes(IReadOnlyList<AnnouncedRow> rows)
    {
        var astray = rows.Where(row => row.ConnectionId is { } by && sessions.Find(session => session.ConnectionId == by) is { } sender && sender.MustHear(row.Row))
            .Select(row => row.ConnectionId).ToHashSet();
        return astray.Count == 0 ? rows : [.. rows.Select(row => astray.Contains(row.ConnectionId) ? row with { ConnectionId = null } : row)];
    }

    private void StartReading()
    {
        isStale = true;
        if (isReading) return;
        isReading = true;
        _ = Task.Run(ReadGap);
    }

    private async Task ReadGap()
    {
        var everyone = new Caller(user, null, long.MaxValue);
        while (true)
        {
            try
            {
                SyncToken? from;
                lock (gate) (from, isStale) = (announced, false);
                var page = await context.Coordinators.For(user).Read(everyone, new ReadQuery { After = from?.Seq ?? Revision.Origin }, CancellationToken.None);
                lock (gate)
                {
                    if (Continue(page, from)) continue;
                    isReading = false;
                    return;
                }
            }
            catch (StoreUnavailableException away)
            {
                context.Metrics.StoreFailed(away.Reason);
                if (IsEmpty) break;
                await Task.Delay(StoreRetry, context.Time);
            }
            catch (Exception bug)
            {
                Log.SocketFailed(context.Log, bug);
                break;
            }
        }

        lock (gate) isReading = false;
    }

    /// <summary>Announces what was read and what waited behind it. True when there is more to read.</summary>
    private bool Continue(ReadPage page, SyncToken? from)
    {
        if (announced != from) return HasListeners;
        var standing = page.Standing;
        // Another life of the history, or more than is worth telling row by row: each socket reads for itself, from where it is.
        if (from is not { } known || known.Epoch != standing.Epoch || page.More)
        {
            announced = standing.Token;
            foreach (var session in sessions) session.ReadOn();
        }
        else if (standing.Last.IsAfter(known.Seq))
        {
            Tell([.. page.Rows.Select(row => ToldHere(row) ?? new AnnouncedRow(row, null))], known.Seq.Number);
            announced = standing.Token;
        }

        waiting.RemoveAll(one => one.Epoch != standing.Epoch || !one.Head.IsAfter(announced!.Value.Seq));
        while (waiting.Find(one => one.After == announced!.Value.Seq) is { } next)
        {
            Take(next);
            waiting.Remove(next);
        }

        return isStale || waiting.Count > 0;
    }

    /// <summary>The row as its commit, made here, announces it behind the gap: it knows more of it than the store.</summary>
    private AnnouncedRow? ToldHere(StoredRow row) =>
        waiting.SelectMany(one => one.Rows).FirstOrDefault(one => one.Row.Seq == row.Seq);
}
