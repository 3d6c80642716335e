using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>Where the running sweep stands, and what the steps of the last ones removed. Stored after each batch.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.maintenance-state")]
internal sealed record MaintenanceState
{
    private static readonly long SweepEveryMs = (long)TimeSpan.FromHours(1).TotalMilliseconds;

    /// <summary>When the last sweep began; 0: never.</summary>
    [Id(0)]
    public long StartedMs { get; init; }

    /// <summary>The step of the running sweep; null: none runs.</summary>
    [Id(1)]
    public SweepStep? Step { get; init; }

    /// <summary>Where the step goes on; null: at its beginning.</summary>
    [Id(2)]
    public string? Cursor { get; init; }

    /// <summary>What the step has removed so far.</summary>
    [Id(3)]
    public int Removed { get; init; }

    /// <summary>The last result of each step.</summary>
    [Id(4)]
    public SweepResult[] Results { get; init; } = [];

    /// <summary>False also at a step that only a newer release knows: then a sweep starts again.</summary>
    public bool IsRunning => Step is { } step && Enum.IsDefined(step);

    /// <summary>
    /// Clocks of silos differ a little, so a start shortly ahead of now is recent. A start far ahead came from a wrong clock.
    /// </summary>
    public bool IsDue(long nowMs) => Step is not null || Math.Abs(nowMs - StartedMs) >= SweepEveryMs;

    public MaintenanceState Begin(long nowMs) => this with { StartedMs = nowMs, Step = default(SweepStep), Cursor = null, Removed = 0 };

    /// <summary>The state after a batch of the running step.</summary>
    public MaintenanceState After(SweepProgress batch, long nowMs)
    {
        var removed = Removed + batch.Removed;
        if (!batch.Done) return this with { Cursor = batch.Cursor, Removed = removed };
        var finished = Step!.Value;
        var next = finished + 1;
        return this with
        {
            Step = Enum.IsDefined(next) ? next : null,
            Cursor = null,
            Removed = 0,
            Results = [.. Results.Where(result => result.Step != finished), new SweepResult(finished, removed, nowMs)],
        };
    }

    /// <summary>What the steps removed in the sweep that began last.</summary>
    public int RemovedBy(params SweepStep[] steps) => Results.Where(result => steps.Contains(result.Step)).Sum(result => result.Removed);
}

[GenerateSerializer, Immutable, Alias("mirubato.sweep-result")]
internal sealed record SweepResult([property: Id(0)] SweepStep Step, [property: Id(1)] int Removed, [property: Id(2)] long FinishedMs);
