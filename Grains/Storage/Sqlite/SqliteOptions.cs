namespace Mirubato.Grains.Storage.Sqlite;

/// <param name="ReadersMax">Connections that read; each reads one snapshot at a time.</param>
/// <param name="WritesWaitingMax">Writes that may wait for the writer; one more is refused as overload.</param>
/// <param name="GroupMax">Writes that share one transaction, and so one fsync.</param>
/// <param name="ReaderWaitSecondsMax">For a free reader.</param>
/// <param name="PagesMax">Pages of 4 KiB the database may grow to; 0: as many as the disk has.</param>
/// <param name="TombstonesMax">See <see cref="Limits.TombstonesMax"/>; fewer in tests.</param>
/// <param name="SweepRowsMax">See <see cref="Retention.SweepRowsMax"/>; fewer in tests.</param>
internal sealed record SqliteOptions(
    int ReadersMax = 4,
    int WritesWaitingMax = 4_096,
    int GroupMax = 128,
    int ReaderWaitSecondsMax = 10,
    int PagesMax = 0,
    int TombstonesMax = Limits.TombstonesMax,
    int SweepRowsMax = Retention.SweepRowsMax);
