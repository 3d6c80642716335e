using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage;

/// <summary>The ages of <see cref="Limits"/> in milliseconds, and the size of one step of a sweep.</summary>
internal static class Ages
{
    private const long DayMs = 24L * 60 * 60 * 1000;

    /// <summary>A gateway that did not say that it lives for so long has no live connections.</summary>
    public const long GatewaySilenceMs = 15_000;

    public const long ConflictMs = Limits.ConflictDays * DayMs;
    public const long TombstoneMs = Limits.TombstoneDays * DayMs;
    public const long ErasedTombstoneMs = Limits.ErasedTombstoneDays * DayMs;
    public const long DeviceUnseenMs = Limits.DeviceUnseenDays * DayMs;

    /// <summary>Rows of one step: few enough that nobody waits for its locks.</summary>
    public const int SweepRowsMax = 1_000;

    /// <summary>Steps of one kind in one sweep; what is left waits for the next.</summary>
    public const int SweepStepsMax = 100;
}
