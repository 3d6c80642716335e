namespace Mirubato.Grains.Storage;

/// <summary>The ages of <see cref="Limits"/> in milliseconds, and the size of one step of a sweep.</summary>
internal static class Retention
{
    private const long DayMs = 24L * 60 * 60 * 1000;

    public const long ConflictMs = Limits.ConflictDays * DayMs;
    public const long TombstoneMs = Limits.TombstoneDays * DayMs;
    public const long ErasedTombstoneMs = Limits.ErasedTombstoneDays * DayMs;
    public const long DeviceUnseenMs = Limits.DeviceUnseenDays * DayMs;

    public const long VersionMs = Limits.VersionDays * DayMs;

    /// <summary>Versions that one thinning behind an answer removes; the next one goes on.</summary>
    public const int VersionsAtOnceMax = 10_000;

    /// <summary>
    /// Rows that one batch of a sweep removes, and users that it looks at: few enough that no request waits long for its locks.
    /// </summary>
    public const int SweepRowsMax = 1_000;
}
