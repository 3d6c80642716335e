namespace Mirubato.Bench.Load;

/// <summary>What one scenario came to. Times in milliseconds.</summary>
internal sealed record Figures(
    string Name, string What, int Concurrency, int Users, long Requests, double Seconds,
    double PerSecond, double MeanMs, double P50Ms, double P99Ms, double MaxMs,
    long Errors, string? FirstError)
{
    /// <summary>Cores the load generator itself kept busy; what it took, the server did not have.</summary>
    public double ClientCores { get; init; }

    public bool OneAtATime { get; init; }
}
