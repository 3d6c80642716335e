namespace Mirubato.Gateway.Socket;

/// <summary>How fast one socket may speak, and how often it may speak nonsense.</summary>
internal struct FrameRates
{
    private double tokens;
    private long refilledMs;
    private long minuteFromMs;
    private int malformed;

    public static FrameRates From(long nowMs) => new() { tokens = SocketLimits.FramesBurst, refilledMs = nowMs, minuteFromMs = nowMs };

    public bool Take(long nowMs)
    {
        var earned = Math.Max(0, nowMs - refilledMs) * SocketLimits.FramesPerSecond / 1000.0;
        tokens = Math.Min(SocketLimits.FramesBurst, tokens + earned);
        refilledMs = nowMs;
        if (tokens < 1) return false;
        tokens--;
        return true;
    }

    /// <summary>False when that was one too many.</summary>
    public bool TakeMalformed(long nowMs)
    {
        if (nowMs - minuteFromMs >= 60_000) (minuteFromMs, malformed) = (nowMs, 0);
        return ++malformed < SocketLimits.MalformedPerMinuteMax;
    }
}
