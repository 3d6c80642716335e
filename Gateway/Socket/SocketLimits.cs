namespace Mirubato.Gateway.Socket;

internal static class SocketLimits
{
    public const int FrameBytesMax = 1024 * 1024;
    public const int OutboxBytesMax = 2 * 1024 * 1024;
    public const int OutboxFramesMax = 1_000;

    public const int FramesPerSecond = 200;
    public const int FramesBurst = 2_000;
    public const int MalformedPerMinuteMax = 20;

    /// <summary>Frames of every kind, pings, pongs and fragments included, and their bytes, as they come in.</summary>
    public const int WireFramesPerSecond = 1_000;
    public const int WireFramesBurst = 10_000;
    public const int WireBytesPerSecond = 4 * 1024 * 1024;
    public const int WireBytesBurst = 128 * 1024 * 1024;
    public const int FragmentsMax = 2_000;

    public const int SyncRequestAwaitedMs = 1_000;
    public const int UnrequestedReplayMs = 60_000;
    public const int IdleMs = 300_000;
    public const int StalledMs = 60_000;
    public const int PingEveryMs = 30_000;
    public const int PongWithinMs = 60_000;
    public const int ClosingMs = 5_000;
    public const int DrainWithinMs = 2_000;
}
