using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Local;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Engine;

namespace Mirubato.Silo.Tests;

/// <summary>The engine's side of one gateway, composed as the host composes it, with a listener in the place of its rooms.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private readonly LocalCoordinators here;
    private readonly RoomsHere rooms;

    private GatewayProcess(IGrainFactory grains, CoordinatorContext context, PostgresStore store)
    {
        var process = ProcessName.Fresh();
        var hearing = new Hearing(new Lazy<IHintListener?>(Heard), NullLogger<Hearing>.Instance);
        here = new LocalCoordinators(context);
        rooms = new RoomsHere(grains, process, hearing, new Connections(store, process, hearing, context.Time), TimeProvider.System, NullLogger<RoomsHere>.Instance);
        Coordinators = new OrleansCoordinators(grains, here, rooms, hearing, TimeProvider.System);
    }

    public ISyncCoordinators Coordinators { get; }

    public HintsHeard Heard { get; } = new();

    public static async Task<GatewayProcess> Start(IGrainFactory grains, CoordinatorContext context, PostgresStore store)
    {
        var gateway = new GatewayProcess(grains, context, store);
        await gateway.rooms.StartAsync(CancellationToken.None);
        return gateway;
    }

    public async ValueTask DisposeAsync()
    {
        await rooms.StopAsync(CancellationToken.None);
        rooms.Dispose();
        here.Dispose();
    }
}
