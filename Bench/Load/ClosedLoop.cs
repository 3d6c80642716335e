using System.Diagnostics;
using Mirubato.Bench.Http;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Load;

/// <summary>Runs one scenario: 1. prepare the users, 2. check one answer in full, 3. warm up, 4. measure.</summary>
internal sealed class ClosedLoop(HttpOptions options, Scenario scenario, TimeProvider time)
{
    // What begins before the end is waited for, but not for ever.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly int concurrency = scenario.OneAtATime ? 1 : options.Concurrency;
    private readonly int users = Math.Min(options.Users, scenario.UsersMax);
    private readonly Numbers numbers = new(time);

    /// <exception cref="BenchFailure">The server refused the token or the rate, or could not be prepared.</exception>
    public async Task<Figures> Run(Action<string> phase, CancellationToken cancel)
    {
        phase("preparing");
        var templates = await Prepare(cancel);
        await CheckInFull(templates[0], cancel);

        var check = new AnswerCheck(scenario.Expect);
        var workers = Enumerable.Range(0, concurrency)
            .Select(place => new Worker(options.Target, templates, (int)((long)place * users / concurrency), numbers, check)).ToList();
        try
        {
            phase("warming up");
            await Phase(workers, options.Warmup, cancel);
            GC.Collect();
            phase("measuring");
            return await Measure(workers, cancel);
        }
        finally
        {
            workers.ForEach(worker => worker.Dispose());
        }
    }

    private async Task<List<RequestTemplate>> Prepare(CancellationToken cancel)
    {
        using var connection = await HttpConnection.Open(options.Target, cancel);
        using var abort = cancel.Register(connection.Dispose);
        var entries = new EntryText(options.Run, options.Seed);
        var templates = new List<RequestTemplate>();
        for (var index = 0; index < users; index++)
        {
            var user = new ScenarioUser(options.Target, connection, options.Identify(scenario, index, time), entries, numbers);
            templates.Add(await scenario.Prepare(user));
        }
        return templates;
    }

    private async Task CheckInFull(RequestTemplate template, CancellationToken cancel)
    {
        using var connection = await HttpConnection.Open(options.Target, cancel);
        using var abort = cancel.Register(connection.Dispose);
        numbers.Fill(template);
        var answer = await connection.Exchange(template.Bytes, keepBytesMax: int.MaxValue);
        FatalStatuses.Throw(answer.Status);
        if (new AnswerCheck(scenario.Expect).FaultInFull(answer) is { } fault)
            throw new BenchFailure($"{scenario.Name}: the first answer is wrong. {fault}");
    }

    private async Task<Figures> Measure(List<Worker> workers, CancellationToken cancel)
    {
        var cost = RunCost.Begin(options.Processes);
        var tally = await Phase(workers, options.Seconds, cancel);
        var done = cost();
        var latency = tally.Latency;
        return new Figures(
            scenario.Name, scenario.What, concurrency, users, latency.Count, done.Seconds,
            (latency.Count - Math.Min(latency.Count, tally.Errors)) / done.Seconds, latency.MeanMs,
            latency.PercentileMs(0.5), latency.PercentileMs(0.99), latency.MaxMs, tally.Errors, tally.FirstError)
        {
            OneAtATime = scenario.OneAtATime,
        }.With(done);
    }

    private static async Task<Tally> Phase(List<Worker> workers, TimeSpan duration, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(duration + Patience);
        using var abort = patience.Token.Register(() => workers.ForEach(worker => worker.Stop()));
        var deadline = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);

        // Not Task.Run: each worker runs until its first answer is awaited, then the sockets' thread drives it.
        var tallies = await Task.WhenAll(workers.Select(worker => worker.Run(deadline, patience.Token)));
        await Task.Yield();
        cancel.ThrowIfCancellationRequested();
        return tallies.Aggregate(new Tally(), (sum, tally) => { sum.Add(tally); return sum; });
    }
}
