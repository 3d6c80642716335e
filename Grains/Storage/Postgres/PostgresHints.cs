using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// Hints between processes over LISTEN and NOTIFY, each on a connection of its own: a NOTIFY inside a commit's transaction would serialize
/// commits. The first hint goes at once; everything that comes within the pause after it goes in one NOTIFY, or each commit under load would
/// pay for one of its own.
/// What this process says it hears at once, without the way through the database.
/// </summary>
internal sealed class PostgresHints(
    string connectionString, ProcessName process, Hearing hearing, TimeProvider time, SyncMetrics metrics, ILogger<PostgresHints> log)
    : BackgroundService, IHints
{
    private const string Channel = "mirubato_sync";

    private readonly HintQueue queue = new(process);
    private readonly Channel<bool> wake = System.Threading.Channels.Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly string own = HintText.Head(process);
    private readonly LastingConnection speaking = new(connectionString, "tells other processes", time, metrics, log);
    private readonly LastingConnection listening = new(connectionString, "hears other processes", time, metrics, log);
    private (string Text, int Hints)? unsent;

    public void Send(Hint hint)
    {
        hearing.Hear(hint);
        if (!queue.TryAdd(hint)) metrics.HintDropped();
        wake.Writer.TryWrite(true);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(speaking.Keep(Speak, stoppingToken), listening.Keep(Listen, stoppingToken));

    // What was being sent when the connection was lost is sent again: to hear it twice harms nobody.
    private async Task Speak(NpgsqlConnection connection, CancellationToken stopping)
    {
        var text = new NpgsqlParameter<string>();
        await using var notify = new NpgsqlCommand($"SELECT pg_notify('{Channel}', $1)", connection) { Parameters = { text } };
        text.TypedValue = "";
        await notify.PrepareAsync(stopping);
        speaking.Works();
        while (true)
        {
            unsent ??= queue.Take();
            if (unsent is { } next)
            {
                text.TypedValue = next.Text;
                await notify.ExecuteNonQueryAsync(stopping);
                metrics.Notified(next.Hints);
                unsent = null;
                await Task.Delay(Limits.HintPauseMs, stopping);
            }
            else
            {
                await wake.Reader.ReadAsync(stopping);
            }
        }
    }

    private async Task Listen(NpgsqlConnection connection, CancellationToken stopping)
    {
        connection.Notification += (_, notification) => Heard(notification.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection)) await listen.ExecuteNonQueryAsync(stopping);
        listening.Works();
        hearing.Missed();
        while (true) await connection.WaitAsync(stopping);
    }

    private void Heard(string text)
    {
        if (text.StartsWith(own, StringComparison.Ordinal)) return;
        foreach (var hint in HintText.Read(text))
        {
            metrics.HintHeard();
            hearing.Hear(hint);
        }
    }
}
