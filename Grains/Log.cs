using Microsoft.Extensions.Logging;

namespace Mirubato.Grains;

/// <summary>Every line the engine logs. None names a user's data or a token.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "The store failed ({Reason}); callers were told to retry.")]
    public static partial void StoreFailed(this ILogger log, string reason, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "A coordinator met a bug and dropped its memory; it reloads from the store.")]
    public static partial void CoordinatorBroke(this ILogger log, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The store is not ready ({Reason}); trying again in {Seconds} s. Check Storage:Postgres or "
        + "Storage:SqlitePath if this goes on.")]
    public static partial void StoreNotReady(this ILogger log, string reason, int seconds);

    [LoggerMessage(4, LogLevel.Information, "The store is ready.")]
    public static partial void StoreReady(this ILogger log);

    [LoggerMessage(5, LogLevel.Information, "Swept {Receipts} receipts, {Conflicts} conflicts, {Tombstones} tombstones, {Devices} "
        + "devices.")]
    public static partial void SweepDone(this ILogger log, int receipts, int conflicts, int tombstones, int devices);

    [LoggerMessage(6, LogLevel.Warning, "The sockets of this process failed to take an announcement; they catch up from the store.")]
    public static partial void ObserverFailed(this ILogger log, Exception exception);

    [LoggerMessage(7, LogLevel.Information, "Another process did not take an announcement; it is told again once it has reported its "
        + "connections.")]
    public static partial void ObserverLost(this ILogger log, Exception exception);

    [LoggerMessage(8, LogLevel.Error, "The upkeep of coordinators met a bug; it goes on.")]
    public static partial void UpkeepBroke(this ILogger log, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "A sweep was interrupted ({Reason}); it goes on within two minutes.")]
    public static partial void SweepInterrupted(this ILogger log, string reason);

    [LoggerMessage(10, LogLevel.Warning, "The progress of a sweep could not be stored ({Failure}); the sweep goes on from what is stored.")]
    public static partial void MaintenanceStateNotWritten(this ILogger log, string failure);

    [LoggerMessage(11, LogLevel.Warning, "The maintenance grain could not be called ({Failure}); the next try is in about a minute.")]
    public static partial void MaintenanceNotReached(this ILogger log, string failure);

    [LoggerMessage(12, LogLevel.Information, "Import {Id} began: {Rows} rows of {Users} users.")]
    public static partial void ImportStarted(this ILogger log, string id, long rows, long users);

    [LoggerMessage(13, LogLevel.Information, "Import {Id} ended ({Status}): {Changed} rows changed something, {Unchanged} were here, "
        + "{Refused} were not stored.")]
    public static partial void ImportEnded(
        this ILogger log, string id, ImportStatus status, long changed, long unchanged, long refused);

    [LoggerMessage(14, LogLevel.Warning, "Import {Id} was interrupted ({Reason}); it goes on within seconds.")]
    public static partial void ImportInterrupted(this ILogger log, string id, string reason);

    [LoggerMessage(15, LogLevel.Warning, "The import grain could not be called ({Failure}); the next try is in a few seconds.")]
    public static partial void ImportNotReached(this ILogger log, string failure);

    [LoggerMessage(16, LogLevel.Warning, "A restore had been cut off and is finished now: {Users} users have a new epoch; their devices "
        + "resynchronize.")]
    public static partial void RestoreFinished(this ILogger log, long users);
}
