using Mirubato.Gateway.Socket;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Silo;

/// <summary>All rooms of one user, as one activation knows them; the coordinator sees one room, and a way for its hints.</summary>
internal sealed class Audience(UserId user, TimeProvider time, ILogger log) : IRoom, IHints
{
    private const int BytesMax = 1024 * 1024;
    private static readonly string Preamble = HintText.Head(new ProcessName(""));
    private volatile HeadMoved? committed;
    private volatile HeadMoved? announced;

    public Seats<IRoomObserver> Seats { get; } = new(time, log.RoomNotTold);

    public SyncToken? Head => committed?.Head;

    /// <summary>What is too much to be told row by row is only pointed at.</summary>
    public void Announce(Announcement announcement)
    {
        announced = new HeadMoved(user, new SyncToken(announcement.Epoch, announcement.Head));
        if (announcement.Rows.Count > SocketLimits.AnnouncedRowsMax || announcement.Rows.Sum(row => (long)row.Row.Data.Length) > BytesMax)
        {
            Tell(announced);
            return;
        }

        var carried = CarriedAnnouncement.Of(announcement);
        Seats.Tell(room => room.Announce(carried));
    }

    public void Send(Hint hint)
    {
        if (hint is HeadMoved moved) committed = moved;
        if (hint != announced) Tell(hint);
    }

    private void Tell(Hint hint)
    {
        var text = Preamble + HintText.Line(hint);
        Seats.Tell(room => room.Hear(text));
    }
}
