namespace Mirubato.Grains.Storage;

/// <summary>The steps of a sweep. Each is done in batches that any process which holds the lease can go on with.</summary>
internal enum SweepStep
{
    /// <summary>Receipts that expired.</summary>
    Receipts,

    /// <summary>Conflicts past their age.</summary>
    Conflicts,

    /// <summary>What only a recent tombstone is asked for, of old tombstones. The tombstones stay.</summary>
    StripTombstones,

    /// <summary>Tombstones of erased accounts. Raises the horizon.</summary>
    PurgeErased,

    /// <summary>
    /// Tombstones beyond a user's bound, the oldest first. Raises the horizon. Its cursor is a user id: users up to it are done.
    /// </summary>
    TrimTombstones,

    /// <summary>Devices long unseen.</summary>
    Devices,

    /// <summary>
    /// Versions that are thinned out by now, and those past their age. Its cursor is a user id: users up to it are done.
    /// </summary>
    Versions,
}

/// <param name="Removed">Rows that this batch removed or stripped.</param>
/// <param name="Cursor">What the next batch of the step must be given.</param>
/// <param name="Done">The step is complete: no further batch is needed.</param>
internal sealed record SweepProgress(int Removed, string? Cursor, bool Done);

/// <summary>The lease that a batch must hold, and the time at which it must not have expired.</summary>
internal readonly record struct SweepLease(string Holder, long NowMs)
{
    /// <summary>$1 holder, $2 now.</summary>
    public const string HeldSql = "SELECT 1 FROM maintenance_lease WHERE name = 'sweep' AND holder = $1 AND until_ms > $2";
}

/// <summary>Another process holds the lease, or it expired, or no process took it. The batch changed nothing.</summary>
internal sealed class LeaseLostException(string holder)
    : Exception($"{holder} does not hold the lease for sweeping; take it again before the next batch.");
