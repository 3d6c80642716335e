namespace Mirubato.Bench.Load;

/// <summary>What one worker saw. Each has its own; they are added up afterwards.</summary>
internal sealed class Tally
{
    public Histogram Latency { get; } = new();

    public long Errors { get; private set; }

    public string? FirstError { get; private set; }

    public void Fail(string fault)
    {
        Errors++;
        FirstError ??= fault;
    }

    public void Add(Tally other)
    {
        Latency.Add(other.Latency);
        Errors += other.Errors;
        FirstError ??= other.FirstError;
    }
}
