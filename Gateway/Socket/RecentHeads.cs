using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// Where users' histories stood lately, as far as this process has heard: a device that was away for a moment does not ask, and is told
/// what came meanwhile. A head noted late is lower than the true one, which only repeats a little.
/// </summary>
internal sealed class RecentHeads(TimeProvider time)
{
    private readonly ConcurrentDictionary<UserId, Trail> trails = new();

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Note(UserId user, SyncToken head)
    {
        if (!trails.TryGetValue(user, out var trail))
        {
            if (trails.Count >= SocketLimits.TrailsMax) return;
            trail = trails.GetOrAdd(user, _ => new Trail());
        }

        trail.Note(head, NowMs);
    }

    /// <summary>A revision that was the head, or below it, that long ago; null when nothing is known of then.</summary>
    public Revision? Before(UserId user, Epoch epoch, long agoMs) =>
        trails.TryGetValue(user, out var trail) ? trail.Before(epoch, NowMs - agoMs) : null;

    public void Forget()
    {
        var sinceMs = NowMs - SocketLimits.TrailMs;
        foreach (var (user, trail) in trails)
        {
            if (trail.LastMs < sinceMs) trails.TryRemove(user, out _);
        }
    }

    private sealed class Trail
    {
        private readonly List<(long AtMs, long Seq)> notes = new(1);
        private Epoch epoch;

        public long LastMs { get; private set; }

        public void Note(SyncToken head, long nowMs)
        {
            lock (notes)
            {
                LastMs = nowMs;
                if (head.Epoch != epoch) notes.Clear();
                epoch = head.Epoch;
                var seq = head.Seq.Number;
                if (notes.Count > 0 && seq <= notes[^1].Seq) return;
                // One a second is enough: the later of two only says that the head was at least that far by then.
                if (notes.Count > 1 && nowMs - notes[^2].AtMs < 1000) notes[^1] = (nowMs, seq);
                else notes.Add((nowMs, seq));
                while (notes.Count > 1 && (notes[1].AtMs <= nowMs - SocketLimits.VolunteeredMs || notes.Count > SocketLimits.TrailNotesMax)) notes.RemoveAt(0);
            }
        }

        public Revision? Before(Epoch of, long atMs)
        {
            lock (notes)
            {
                if (of != epoch) return null;
                for (var i = notes.Count - 1; i >= 0; i--)
                {
                    if (notes[i].AtMs <= atMs) return new Revision(notes[i].Seq);
                }

                return null;
            }
        }
    }
}
