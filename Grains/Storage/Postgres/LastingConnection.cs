using Microsoft.Extensions.Logging;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// A connection of its own, outside the pool, made again whenever it is lost: soon at first, then after pauses that grow, each cut short by
/// chance so that processes do not come back in step.
/// </summary>
internal sealed class LastingConnection(string connectionString, string purpose, TimeProvider time, SyncMetrics metrics, ILogger log)
{
    private const int PauseMsFirst = 50;
    private const int PauseMsMax = 5_000;
    private const int KeepAliveSeconds = 10;

    private readonly string own = Own(connectionString);
    private int failures;

    /// <summary>Has <paramref name="use"/> use a connection, which only ends by failing, until it is told to stop.</summary>
    public async Task Keep(Func<NpgsqlConnection, CancellationToken, Task> use, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(own);
                await connection.OpenAsync(stopping);
                await use(connection, stopping);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it was, also that a keepalive closed it beneath its user: without the connection nothing is lost but time.
                metrics.HintsCut();
                if (failures == 0) log.HintsCut(purpose, PostgresFaults.Known(e).Reason, e);
            }

            await Pause(stopping);
        }
    }

    /// <summary>It has been of use: the next loss starts from a short pause, and is logged.</summary>
    public void Works()
    {
        failures = 0;
        log.HintsConnected(purpose);
    }

    private async Task Pause(CancellationToken stopping)
    {
        var longest = Math.Min(PauseMsMax, PauseMsFirst << Math.Min(failures++, 10));
        var pause = TimeSpan.FromMilliseconds(longest * (0.5 + (Random.Shared.NextDouble() / 2)));
        await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // The keepalive is what notices a server that is gone without a word. The server must not end it for being idle.
    private static string Own(string connectionString)
    {
        var own = PostgresStore.Tuned(connectionString, new PostgresOptions());
        own.Pooling = false;
        own.MaxAutoPrepare = 0;
        own.KeepAlive = KeepAliveSeconds;
        own.Options += " -c idle_session_timeout=0";
        return own.ToString();
    }
}
