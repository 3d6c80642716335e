using Mirubato.Bench.Load;

namespace Mirubato.Bench.Ws;

/// <summary>One thing to measure over sockets.</summary>
/// <param name="Name">As in --only and in the JSON: stable, so that runs of different days compare.</param>
/// <param name="What">For people.</param>
internal abstract record WsScenario(string Name, string What)
{
    /// <summary>It can be run with the senders on one gateway and the receivers on another.</summary>
    public virtual bool IsFanOut => false;

    /// <summary>It needs --pid.</summary>
    public virtual bool ReadsMemory => false;

    public abstract Task<Figures> Run(WsOptions options, Action<string> phase, CancellationToken cancel);

    /// <summary>The figures of a phase that took <paramref name="cost"/>.</summary>
    protected Figures Figures(RunCost cost, Histogram latency, long requests, int concurrency, int users, Tally tally) => new Figures(
        Name, What, concurrency, users, requests, cost.Seconds, requests / cost.Seconds, latency.MeanMs,
        latency.PercentileMs(0.5), latency.PercentileMs(0.99), latency.MaxMs, tally.Errors, tally.FirstError).With(cost);

    protected static Histogram Sum(IEnumerable<Histogram> parts) =>
        parts.Aggregate(new Histogram(), (sum, part) => { sum.Add(part); return sum; });
}
