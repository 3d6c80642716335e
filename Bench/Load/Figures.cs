namespace Mirubato.Bench.Load;

/// <summary>What one scenario came to. Times in milliseconds.</summary>
internal sealed record Figures(
    string Name, string What, int Concurrency, int Users, long Requests, double Seconds,
    double PerSecond, double MeanMs, double P50Ms, double P99Ms, double MaxMs,
    long Errors, string? FirstError)
{
    /// <summary>Cores the load generator itself kept busy; what it took, the server did not have.</summary>
    public double ClientCores { get; init; }

    /// <summary>CPU time of the server's process for each request, in microseconds.</summary>
    public double? ServerCpuUs { get; init; }

    /// <summary>CPU time of PostgreSQL's processes for each request, in microseconds.</summary>
    public double? PostgresCpuUs { get; init; }

    public bool OneAtATime { get; init; }

    /// <summary>Events that reached a device other than their sender's.</summary>
    public double? DeliveriesPerSecond { get; init; }

    /// <summary>What each connection added to the server's process.</summary>
    public double? KiBEach { get; init; }

    /// <summary>What else there is to say.</summary>
    public string? Note { get; init; }

    /// <summary>These figures, and the CPU time that their requests took.</summary>
    public Figures With(RunCost cost) => this with
    {
        ClientCores = cost.ClientCores,
        ServerCpuUs = cost.ServerCpu?.TotalMicroseconds / Math.Max(1, Requests),
        PostgresCpuUs = cost.PostgresCpu?.TotalMicroseconds / Math.Max(1, Requests),
    };
}
