using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains;

/// <summary>Who hears of a user's commits made here.</summary>
internal sealed class Rooms(ILogger log)
{
    private ImmutableArray<IRoom> rooms = [];

    public bool AreEmpty => rooms.IsEmpty;

    public void Add(IRoom room) => ImmutableInterlocked.Update(ref rooms, (all, one) => all.Contains(one) ? all : all.Add(one), room);

    public void Remove(IRoom room) => ImmutableInterlocked.Update(ref rooms, (all, one) => all.Remove(one), room);

    /// <summary>Tells every room. A room that fails has lost an announcement, not a change: it reads the gap from the store.</summary>
    public void Announce(Announcement announcement)
    {
        foreach (var room in rooms)
        {
            try
            {
                room.Announce(announcement);
            }
            catch (Exception failure)
            {
                log.RoomFailed(failure);
            }
        }
    }
}
