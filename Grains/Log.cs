using Microsoft.Extensions.Logging;

namespace Mirubato.Grains;

/// <summary>Every line the engine logs. None names a user's data or a token.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "The store failed ({Reason}); callers were told to retry.")]
    public static partial void StoreFailed(this ILogger log, string reason, Exception exception);

    [LoggerMessage(2, LogLevel.Error, "A coordinator met a bug and dropped its memory; it reloads from the store.")]
    public static partial void CoordinatorBroke(this ILogger log, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The store is not ready ({Reason}); trying again in {Seconds} s. Check Storage:Postgres or Storage:SqlitePath if this goes on.")]
    public static partial void StoreNotReady(this ILogger log, string reason, int seconds);

    [LoggerMessage(4, LogLevel.Information, "The store is ready.")]
    public static partial void StoreReady(this ILogger log);

    [LoggerMessage(5, LogLevel.Information, "Swept {Receipts} receipts, {Conflicts} conflicts, {Tombstones} tombstones, {Devices} devices, {Tickets} tickets.")]
    public static partial void Swept(this ILogger log, int receipts, int conflicts, int tombstones, int devices, int tickets);

    [LoggerMessage(6, LogLevel.Warning, "A sweep failed; the next one tries again.")]
    public static partial void SweepFailed(this ILogger log, Exception exception);

    [LoggerMessage(7, LogLevel.Warning, "A room failed to take an announcement; its sockets catch up from the store.")]
    public static partial void RoomFailed(this ILogger log, Exception exception);

    [LoggerMessage(8, LogLevel.Warning, "The connection that {Purpose} was lost ({Reason}); making another.")]
    public static partial void HintsCut(this ILogger log, string purpose, string reason, Exception exception);

    [LoggerMessage(9, LogLevel.Information, "The connection that {Purpose} is there.")]
    public static partial void HintsConnected(this ILogger log, string purpose);

    [LoggerMessage(10, LogLevel.Error, "The listener of hints met a bug; sockets catch up within half a minute.")]
    public static partial void ListenerBroke(this ILogger log, Exception exception);

    [LoggerMessage(11, LogLevel.Warning, "This process could not say that it lives ({Reason}); trying again.")]
    public static partial void HeartbeatFailed(this ILogger log, string reason);

    [LoggerMessage(12, LogLevel.Warning, "Other processes took this one for dead and forgot its connections; they are recorded again. Was it paused, or is a clock wrong?")]
    public static partial void Forgotten(this ILogger log);

    [LoggerMessage(13, LogLevel.Warning, "This process could not take its leave ({Reason}); its connections are forgotten within a minute.")]
    public static partial void LeaveFailed(this ILogger log, string reason);

    [LoggerMessage(14, LogLevel.Information, "Swept {Receipts} receipts, {Conflicts} conflicts, {Tombstones} tombstones, {Devices} devices.")]
    public static partial void SweepDone(this ILogger log, int receipts, int conflicts, int tombstones, int devices);

    [LoggerMessage(15, LogLevel.Warning, "A sweep was interrupted ({Reason}); it goes on within two minutes.")]
    public static partial void SweepInterrupted(this ILogger log, string reason);

    [LoggerMessage(16, LogLevel.Warning, "The progress of a sweep could not be stored ({Failure}); the sweep goes on from what is stored.")]
    public static partial void MaintenanceStateNotWritten(this ILogger log, string failure);

    [LoggerMessage(17, LogLevel.Warning, "The maintenance grain could not be called ({Failure}); the next try is in about a minute.")]
    public static partial void MaintenanceNotReached(this ILogger log, string failure);
}
