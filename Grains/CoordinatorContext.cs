using Microsoft.Extensions.Logging;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>What the coordinators of one silo share.</summary>
internal sealed record CoordinatorContext(
    IUserStore Store, IAnswerFormat Format, Quotas Quotas, TimeProvider Time, SyncMetrics Metrics, ILogger<SyncCoordinatorGrain> Log)
{
    public SiloClock Clock { get; } = new(Time);

    public DeviceSightings Devices { get; } = new(Store, Quotas, Time);

    public ActiveCoordinators Active { get; } = new();

    public AnnouncementBudget Announcements { get; } = new();

    /// <summary>This process, and its sockets, which get announcements without a message; null: the process serves no clients.</summary>
    public ProcessIdentity Process { get; init; } = ProcessIdentity.Fresh(silo: "");

    public IGatewayObserver? LocalGateway { get; init; }

    public string Address => Process.Silo ?? "";

    public long NowMs => Clock.NowMs;
}

/// <summary>A reading of both clocks: the wall may be set, and the monotonic one may stand still while the machine sleeps.</summary>
internal readonly record struct ClockReading(long Timestamp, long Ms);

internal sealed class SiloClock(TimeProvider time)
{
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public ClockReading Read() => new(time.GetTimestamp(), NowMs);

    /// <summary>By whichever clock says that more time has passed.</summary>
    public double AgeMs(ClockReading at) => Math.Max(time.GetElapsedTime(at.Timestamp).TotalMilliseconds, Math.Abs(NowMs - at.Ms));
}
