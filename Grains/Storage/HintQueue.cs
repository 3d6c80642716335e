using System.Text;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage;

/// <summary>
/// Hints that wait to be told: of a user only the newest head, and in the order they came. Other hints go first, as they are about
/// who may stay. What is lost of either is found within half a minute.
/// </summary>
internal sealed class HintQueue(ProcessName sender)
{
    private readonly Lock gate = new();
    private readonly Queue<Hint> others = new();
    private readonly Queue<UserId> moved = new();
    private readonly Dictionary<UserId, HeadMoved> heads = [];
    private readonly string head = HintText.Head(sender);

    /// <summary>False when it is full.</summary>
    public bool TryAdd(Hint hint)
    {
        lock (gate)
        {
            if (hint is HeadMoved one) return TryAdd(one);
            if (others.Count == Limits.HintsWaitingMax) return false;
            others.Enqueue(hint);
            return true;
        }
    }

    /// <summary>As many of those waiting as one notification takes; null when nothing waits.</summary>
    public (string Text, int Hints)? Take()
    {
        lock (gate)
        {
            if (others.Count + moved.Count == 0) return null;
            var text = new StringBuilder(head);
            var room = Limits.HintBytesMax - head.Length;
            var count = 0;
            while (Next() is { } hint && Fits(HintText.Line(hint), text, ref room))
            {
                Remove(hint);
                count++;
            }

            return (text.ToString(), count);
        }
    }

    private static bool Fits(string line, StringBuilder text, ref int room)
    {
        room -= Encoding.UTF8.GetByteCount(line);
        if (room >= 0) text.Append(line);
        return room >= 0;
    }

    // Of two epochs the one told later is taken: if it was the older, whoever hears it looks at the store and finds the newer.
    private bool TryAdd(HeadMoved one)
    {
        if (heads.TryGetValue(one.User, out var waiting))
        {
            if (one.Head.Epoch != waiting.Head.Epoch || one.Head.Seq.IsAfter(waiting.Head.Seq)) heads[one.User] = one;
            return true;
        }

        if (heads.Count == Limits.HintsWaitingMax) return false;
        heads.Add(one.User, one);
        moved.Enqueue(one.User);
        return true;
    }

    private Hint? Next() =>
        others.TryPeek(out var other) ? other
        : moved.TryPeek(out var user) ? heads[user]
        : null;

    private void Remove(Hint hint)
    {
        if (hint is HeadMoved) heads.Remove(moved.Dequeue());
        else others.Dequeue();
    }
}
