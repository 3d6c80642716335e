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

    /// <summary>
    /// Rows that one batch of a sweep removes, and users that it looks at: few enough that nobody waits for its locks.
    /// </summary>
    public const int SweepRowsMax = 1_000;

    /// <summary>Batches of one step in one sweep; what is left waits for the next.</summary>
    public const int SweepStepsMax = 100;

    /// <summary>How long a sweep holds its lease. A process that stops in the middle of a sweep holds up the others for so long.</summary>
    public const long SweepLeaseMs = 10 * 60 * 1000;
}
