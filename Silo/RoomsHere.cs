using System.Collections.Concurrent;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Silo;

/// <summary>
/// The rooms of this process as the cluster hears of them: each tells its user's activation that it listens, again and again, because
/// activations come and go. One that was not known to the activation may have missed something, so its head is compared with the store's.
/// </summary>
internal sealed class RoomsHere(
    IGrainFactory grains, ProcessName process, Hearing hearing, IConnections connections, TimeProvider time, ILogger<RoomsHere> log) : BackgroundService
{
    private const int RenewalsAtOnceMax = 64;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<UserId, Seat> rooms = new();

    public bool Has(UserId user) => rooms.ContainsKey(user);

    /// <summary>Orleans holds the seat by a weak reference; the dictionary is what keeps it.</summary>
    public void Attach(UserId user, IRoom room)
    {
        var seat = new Seat(user, room, hearing);
        seat.Reference = grains.CreateObjectReference<IRoomObserver>(seat);
        rooms[user] = seat;
        _ = TryRenew(seat);
    }

    public void Detach(UserId user, IRoom room)
    {
        if (rooms.TryGetValue(user, out var seat) && seat.Room == room && rooms.TryRemove(new(user, seat))) _ = Leave(seat);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await Renew(stoppingToken);
    }

    private async Task Renew(CancellationToken cancel)
    {
        var (now, failed) = (time.GetUtcNow().UtcTicks, 0);
        var abreast = new ParallelOptions { MaxDegreeOfParallelism = RenewalsAtOnceMax, CancellationToken = cancel };
        await Parallel.ForEachAsync(rooms.Values.Where(seat => Volatile.Read(ref seat.DueTicks) <= now), abreast, async (seat, _) =>
        {
            if (!await TryRenew(seat)) Interlocked.Increment(ref failed);
        });
        if (failed > 0) log.RoomsNotRenewed(failed);
    }

    /// <summary>Renewals of rooms that came together, after a restart for instance, drift apart.</summary>
    private async Task<bool> TryRenew(Seat seat)
    {
        var pause = Seats<IRoomObserver>.RenewEvery * (0.75 + (Random.Shared.NextDouble() / 4));
        Volatile.Write(ref seat.DueTicks, (time.GetUtcNow() + pause).UtcTicks);
        try
        {
            var known = await grains.GetGrain<ISyncCoordinatorGrain>(seat.User.Value).Listen(process.Value, seat.Reference!);
            if (known) return true;
            foreach (var (user, standing) in await connections.Standings([seat.User], CancellationToken.None)) hearing.Hear(new HeadMoved(user, standing.Head));
            return true;
        }
        catch (Exception failure)
        {
            log.RoomOutOfReach(failure);
            Volatile.Write(ref seat.DueTicks, 0);
            return false;
        }
    }

    /// <summary>If the activation cannot be told, it forgets the room by itself.</summary>
    private async Task Leave(Seat seat)
    {
        try
        {
            await grains.GetGrain<ISyncCoordinatorGrain>(seat.User.Value).Leave(process.Value, seat.Reference!);
            grains.DeleteObjectReference<IRoomObserver>(seat.Reference!);
        }
        catch (Exception failure)
        {
            log.RoomOutOfReach(failure);
        }
    }

    /// <summary>A room of this process in the audience of its user's activation: what Orleans calls.</summary>
    private sealed class Seat(UserId user, IRoom room, Hearing hearing) : IRoomObserver
    {
        public readonly UserId User = user;
        public readonly IRoom Room = room;
        public IRoomObserver? Reference;
        public long DueTicks;

        public Task Announce(CarriedAnnouncement announcement)
        {
            Room.Announce(announcement.Open());
            return Task.CompletedTask;
        }

        public Task Hear(string hints)
        {
            foreach (var hint in HintText.Read(hints)) hearing.Hear(hint);
            return Task.CompletedTask;
        }

        /// <summary>Renewed with the next look, by when the next activation takes calls.</summary>
        public Task Moved()
        {
            Volatile.Write(ref DueTicks, 0);
            return Task.CompletedTask;
        }
    }
}
