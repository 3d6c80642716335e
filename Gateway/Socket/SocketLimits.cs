namespace Mirubato.Gateway.Socket;

/// <summary>Every bound of a socket.</summary>
internal static class SocketLimits
{
    public const int FrameBytesMax = 1024 * 1024;
    public const int OutboxBytesMax = 2 * 1024 * 1024;
    public const int OutboxFramesMax = 1_000;

    /// <summary>A commit of more rows than this is not announced row by row: every socket reads it from the store, in frames of many.</summary>
    public const int AnnouncedRowsMax = 256;

    /// <summary>Commits that wait in a room for a gap before them to be read.</summary>
    public const int AnnouncementsWaitingMax = 32;

    public const int ConnectionsPerUserMax = 10;
    public const int EvictSilentMs = 60_000;

    public const int FramesPerSecond = 200;
    public const int FramesBurst = 2_000;
    public const int MalformedPerMinuteMax = 20;

    public const int UnaskedAfterMs = 1_000;
    public const int VolunteeredMs = 60_000;
    public const int IdleMs = 300_000;
    public const int StalledMs = 60_000;
    public const int PingEveryMs = 30_000;
    public const int PongWithinMs = 60_000;
    public const int ClosingMs = 5_000;
    public const int DrainWithinMs = 2_000;
    public const int ForgetHeadsEveryMs = 30_000;
    public const int TicketMs = 30_000;

    /// <summary>Users whose recent heads are remembered after their last socket left, and for how long.</summary>
    public const int TrailsMax = 50_000;
    public const int TrailMs = 600_000;
    public const int TrailNotesMax = 64;
}
