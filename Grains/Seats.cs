using System.Collections.Immutable;

namespace Mirubato.Grains;

/// <summary>
/// The rooms of one user on all processes of a cluster, one a process: they renew themselves, expire if they do not, and are told all at
/// once and without being waited for, so that one that hangs holds up none of the others, nor a commit. One that fails has lost its seat.
/// </summary>
internal sealed class Seats<TRoom>(TimeProvider time, Action<Exception> failed) where TRoom : class
{
    public static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan Expire = 3 * RenewEvery;
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private ImmutableDictionary<string, Seat> seats = ImmutableDictionary<string, Seat>.Empty;

    public bool AreEmpty => seats.IsEmpty;

    /// <returns>Whether it had its seat already, and so has missed nothing.</returns>
    public bool Renew(string process, TRoom room)
    {
        var now = time.GetUtcNow();
        var known = seats.TryGetValue(process, out var seat) && seat.Room.Equals(room) && seat.Until > now;
        ImmutableInterlocked.Update(ref seats, (all, one) => all.SetItem(process, one), new Seat(room, now + Expire));
        return known;
    }

    /// <summary>The departure of a room that has been replaced meanwhile comes too late to matter.</summary>
    public void Remove(string process, TRoom room) =>
        ImmutableInterlocked.Update(ref seats, (all, gone) => all.TryGetValue(process, out var seat) && seat.Room.Equals(gone) ? all.Remove(process) : all, room);

    public void Tell(Func<TRoom, Task> tell)
    {
        foreach (var (process, seat) in seats)
        {
            if (seat.Until > time.GetUtcNow()) _ = Tell(process, seat.Room, tell);
            else Remove(process, seat.Room);
        }
    }

    private async Task Tell(string process, TRoom room, Func<TRoom, Task> tell)
    {
        try
        {
            await tell(room).WaitAsync(Patience, time);
        }
        catch (Exception failure)
        {
            failed(failure);
            Remove(process, room);
        }
    }

    private sealed record Seat(TRoom Room, DateTimeOffset Until);
}
