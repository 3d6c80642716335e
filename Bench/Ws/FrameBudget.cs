namespace Mirubato.Bench.Ws;

/// <summary>
/// What one socket may send (docs/protocol.md): 2,000 frames at once and 200 a second. Each phase has sockets of its own and ends before a
/// sender of its has used that up, so that a server is measured with the limits it has.
/// </summary>
internal static class FrameBudget
{
    public const int AtOnce = 1_900;
    private const int PerSecond = 200;

    public static TimeSpan Lasts(int framesPerSecond) =>
        framesPerSecond <= PerSecond ? TimeSpan.MaxValue : TimeSpan.FromSeconds((double)AtOnce / (framesPerSecond - PerSecond));

    public static bool IsUsedUp(long sent, TimeSpan elapsed) => sent >= AtOnce + (PerSecond * elapsed.TotalSeconds);
}
