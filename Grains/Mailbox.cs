using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains;

/// <summary>Writes waiting at one coordinator: bounded in number and bytes, taken in groups by one runner at a time.</summary>
internal sealed class Mailbox
{
    private readonly Lock gate = new();
    private readonly Queue<Pending> waiting = [];
    private long bytes;
    private bool running;

    public bool IsIdle
    {
        get { lock (gate) return !running; }
    }

    /// <summary>False when full. <paramref name="start"/>: nobody is running, so the caller has to.</summary>
    public bool TryPut(Pending pending, out bool start)
    {
        lock (gate)
        {
            start = false;
            var isFull = waiting.Count >= Limits.MailboxRequestsMax || (waiting.Count > 0 && bytes + pending.Bytes > Limits.MailboxBytesMax);
            if (isFull) return false;
            waiting.Enqueue(pending);
            bytes += pending.Bytes;
            start = !running;
            running = true;
            return true;
        }
    }

    /// <summary>The next group in order; empty when nothing waits, and then the runner has to stop.</summary>
    public List<Pending> TakeGroup()
    {
        lock (gate)
        {
            var group = new List<Pending>(Math.Min(waiting.Count, Limits.GroupRequestsMax));
            var rows = 0;
            while (group.Count < Limits.GroupRequestsMax && waiting.TryPeek(out var next))
            {
                rows += next.Items.Count;
                if (group.Count > 0 && rows > Limits.GroupRowsMax) break;
                group.Add(waiting.Dequeue());
                bytes -= next.Bytes;
            }

            running = group.Count > 0;
            return group;
        }
    }
}
