using System.Diagnostics;
using System.Net.Sockets;
using Mirubato.Bench.Http;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Load;

/// <summary>
/// Sends, waits, judges, and sends again over one connection, going round the users from the one it is given,
/// so that at any moment the workers are spread over all of them.
/// </summary>
internal sealed class Worker(Target target, IReadOnlyList<RequestTemplate> perUser, int first, Numbers numbers, AnswerCheck check)
    : IDisposable
{
    private const int BrokenInARowMax = 5;
    private readonly RequestTemplate?[] own = new RequestTemplate?[perUser.Count];
    private HttpConnection? connection;
    private volatile bool stopped;
    private int next = first;

    /// <summary>Every request begun before the deadline is finished and counted.</summary>
    public async Task<Tally> Run(long deadline, CancellationToken cancel)
    {
        var tally = new Tally();
        var brokenInARow = 0;
        while (Stopwatch.GetTimestamp() < deadline && !stopped)
        {
            try
            {
                await Exchange(tally, cancel);
                brokenInARow = 0;
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                tally.Fail(stopped ? "No answer: the run's time was over long ago." : $"Connection: {e.Message}");
                Close();
                if (++brokenInARow == BrokenInARowMax)
                    break;
            }
        }
        return tally;
    }

    /// <summary>Ends a request that hangs: a pending read only ever ends by closing what it reads.</summary>
    public void Stop()
    {
        stopped = true;
        connection?.Dispose();
    }

    public void Dispose() => Close();

    private async ValueTask Exchange(Tally tally, CancellationToken cancel)
    {
        connection ??= await HttpConnection.Open(target, cancel);
        var request = own[next] ??= perUser[next].Own();
        next = (next + 1) % own.Length;
        numbers.Fill(request);
        var started = Stopwatch.GetTimestamp();
        var answer = await connection.Exchange(request.Bytes, AnswerCheck.KeepBytes);
        tally.Latency.RecordStopwatchTicks(Stopwatch.GetTimestamp() - started);
        FatalStatuses.Throw(answer.Status);
        if (check.Fault(answer) is { } fault)
            tally.Fail(fault);
        if (!answer.MayReuse)
            Close();
    }

    private void Close()
    {
        connection?.Dispose();
        connection = null;
    }
}
