using System.Diagnostics;

namespace Mirubato.Grains;

/// <summary>Bytes of rows that wait in this silo for observers in other processes: Orleans bounds none of its queues.</summary>
internal sealed class AnnouncementBudget
{
    private long taken;

    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref taken, bytes) <= Limits.AnnouncedBytesPerSiloMax) return true;
        Release(bytes);
        return false;
    }

    public void Release(long bytes) => Interlocked.Add(ref taken, -bytes);
}

/// <summary>
/// News on the way to one process. Its own process is told at once, without a message. Another one is told one message at a time, which no
/// commit waits for; what comes meanwhile is merged, past a bound to the head alone. A process that fails or hangs is no longer told.
/// </summary>
internal sealed class AnnouncementQueue(CoordinatorContext silo, IGatewayObserver observer, bool isLocal, Action lost)
{
    private UserNews? waiting;
    private bool isSending;

    public void Tell(UserNews news)
    {
        if (isLocal)
        {
            AnnounceLocally(news);
            return;
        }

        waiting = waiting is null ? Bounded(news) : Merge(waiting, news);
        if (!isSending) _ = Send();
    }

    /// <summary>What waits for an observer that gets no more announcements.</summary>
    public void Drop()
    {
        if (waiting is { } dropped) silo.Announcements.Release(CountBytes(dropped));
        waiting = null;
    }

    private void AnnounceLocally(UserNews news)
    {
        try
        {
            silo.LocalGateway!.Tell(news).Ignore();
        }
        catch (Exception bug)
        {
            silo.Log.ObserverFailed(bug);
        }
    }

    private async Task Send()
    {
        isSending = true;
        while (waiting is { } news)
        {
            waiting = null;
            using var span = Tracing.Start("broadcast", ActivityKind.Producer, Tracing.Parse(news.Trace));
            try
            {
                await observer.Tell(news);
            }
            catch (Exception failure)
            {
                silo.Log.ObserverLost(failure);
                silo.Metrics.ObserversLost.Add(1);
                Drop();
                lost();
            }
            finally
            {
                silo.Announcements.Release(CountBytes(news));
            }
        }

        isSending = false;
    }

    /// <summary>The rows if they are few and there is room for them; else only where the history has come to.</summary>
    private UserNews Bounded(UserNews news)
    {
        if (news.Announcement is not { } announcement) return news;
        var fits = announcement.Rows.Count <= Limits.AnnouncedRowsMax
            && announcement.Bytes <= Limits.AnnouncedBytesMax
            && silo.Announcements.TryTake(announcement.Bytes);
        return fits ? news : news with { Announcement = null, Head = announcement.Token };
    }

    private UserNews Merge(UserNews before, UserNews then)
    {
        silo.Announcements.Release(CountBytes(before));
        var (announcement, head) = (before.Announcement, then.Announcement) switch
        {
            ({ } a, { } b) when a.Token == new SyncToken(b.Epoch, b.After) && before.Head is null =>
                (b with { After = a.After, Rows = [.. a.Rows, .. b.Rows], CommittedTicks = a.CommittedTicks }, (SyncToken?)null),
            (null, { } b) when before.Head is null => (b, null),
            ({ } a, null) when then.Head is null => (a, before.Head),
            _ => (null, then.Announcement?.Token ?? then.Head ?? before.Head ?? before.Announcement?.Token),
        };
        return Bounded(new UserNews(then.User)
        {
            Announcement = announcement,
            Head = head,
            NotBeforeMs = Math.Max(before.NotBeforeMs, then.NotBeforeMs),
            Revoked = Union(before.Revoked, then.Revoked),
            Evicted = Union(before.Evicted, then.Evicted),
            ActivationEnded = before.ActivationEnded || then.ActivationEnded,
            Disconnected = before.Disconnected || then.Disconnected,
            Trace = before.Trace ?? then.Trace,
        });
    }

    private static long CountBytes(UserNews news) => news.Announcement?.Bytes ?? 0;

    private static List<T>? Union<T>(List<T>? a, List<T>? b) => a is null ? b : b is null ? a : [.. a.Union(b)];
}
