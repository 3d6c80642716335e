namespace Mirubato.Grains.Interfaces;

/// <summary>
/// One silo, as operators see it. The key is the silo's address as a parsable text; the activation runs in that silo and in no other, so a
/// call fails when the silo is gone.
/// </summary>
[Alias("mirubato.silo")]
public interface ISiloGrain : IGrainWithStringKey
{
    [Alias("report"), ResponseTimeout(CallTimeouts.Roster)]
    Task<SiloReport> Report();

    /// <summary>
    /// Takes the silo out of service, or back. Its sockets are closed, its coordinators go as soon as they are idle, and it says that it is
    /// not ready; what still comes in is answered.
    /// </summary>
    [Alias("drain"), ResponseTimeout(CallTimeouts.Roster)]
    Task<SiloReport> Drain(DrainRequest request);
}

[GenerateSerializer, Immutable, Alias("mirubato.drain")]
public sealed record DrainRequest([property: Id(0)] bool Draining);

/// <param name="Name">The silo's name in the member list.</param>
/// <param name="IsDraining">It was taken out of service.</param>
/// <param name="Coordinators">Active in this silo.</param>
/// <param name="Connections">Of the users of these coordinators, in any process.</param>
/// <param name="Observers">Other processes that these coordinators tell, counted once for each user.</param>
/// <param name="Process">The process around the silo.</param>
[GenerateSerializer, Immutable, Alias("mirubato.silo-report")]
public sealed record SiloReport(
    [property: Id(0)] string Name,
    [property: Id(1)] bool IsDraining,
    [property: Id(2)] int Coordinators,
    [property: Id(3)] long Connections,
    [property: Id(4)] long Heads,
    [property: Id(5)] long Observers,
    [property: Id(6)] long QueuedWrites,
    [property: Id(7)] ProcessReport Process);

/// <param name="StartedMs">Unix ms.</param>
/// <param name="Trouble">Why it cannot serve; null when it can.</param>
/// <param name="Sockets">Open in this process.</param>
/// <param name="CpuCores">Processor time per time that passed, lately.</param>
/// <param name="Seconds">Over how long the counts were made, about ten seconds; 0: nothing was counted.</param>
/// <param name="Counts">By the name of a figure, such as <c>commits</c>.</param>
/// <param name="Latencies">
/// By the name of an operation: how many took as long as each of <see cref="HistogramBounds.Seconds"/>, and last how many took longer.
/// </param>
[GenerateSerializer, Immutable, Alias("mirubato.process-report")]
public sealed record ProcessReport(
    [property: Id(0)] string Version,
    [property: Id(1)] long StartedMs,
    [property: Id(2)] string? Trouble,
    [property: Id(3)] int Sockets,
    [property: Id(4)] long MemoryBytes,
    [property: Id(5)] double CpuCores,
    [property: Id(6)] double Seconds,
    [property: Id(7)] Dictionary<string, long> Counts,
    [property: Id(8)] Dictionary<string, List<long>> Latencies);

/// <summary>What the silo asks of the process around it.</summary>
public interface IProcessControl
{
    ValueTask<ProcessReport> Report();

    /// <summary>Takes no more sockets and closes those that are open, or takes sockets again.</summary>
    void Drain(bool draining);
}
