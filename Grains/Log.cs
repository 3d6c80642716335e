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

    [LoggerMessage(7, LogLevel.Warning, "The sockets of this process failed to take an announcement; they catch up from the store.")]
    public static partial void ObserverFailed(this ILogger log, Exception exception);

    [LoggerMessage(8, LogLevel.Information, "Another process did not take an announcement; it is told again once it has reported its connections.")]
    public static partial void ObserverLost(this ILogger log, Exception exception);

    [LoggerMessage(9, LogLevel.Error, "The upkeep of coordinators met a bug; it goes on.")]
    public static partial void UpkeepBroke(this ILogger log, Exception exception);
}
