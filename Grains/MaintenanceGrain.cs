using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Storage;
using Orleans.Concurrency;

namespace Mirubato.Grains;

/// <summary>
/// Sweeps the store once an hour, in small batches, for the whole cluster. Its state is stored after each batch: if its silo dies, the next
/// activation goes on at the stored step and cursor. Orleans may run two activations for a moment, so a batch also needs the store's lease.
/// </summary>
/// <remarks>It is reentrant so that a tick can see that another one runs. Otherwise the ticks of all silos would queue behind it.</remarks>
[GrainType("mirubato-maintenance"), Reentrant]
internal sealed class MaintenanceGrain(
    [PersistentState("maintenance")] IPersistentState<MaintenanceState> state,
    IStoreUpkeep store,
    [FromKeyedServices(ServerClock.Key)] TimeProvider time,
    IHostApplicationLifetime process,
    SyncMetrics metrics,
    ILogger<MaintenanceGrain> log) : Grain, IMaintenanceGrain
{
    private const int BatchesMax = 100;
    private static readonly TimeSpan LeaseFor = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ReleaseMax = TimeSpan.FromSeconds(2);

    /// <summary>After this no batch is started; one that runs may go on until <see cref="TickMax"/>.</summary>
    private static readonly TimeSpan BatchesFor = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan TickMax = TimeSpan.FromSeconds(20);

    private readonly string holder = Guid.NewGuid().ToString("n");
    private bool isTicking;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task Tick()
    {
        if (isTicking || !state.State.IsDue(NowMs)) return;
        isTicking = true;
        try
        {
            await Sweep();
        }
        finally
        {
            isTicking = false;
        }
    }

    private async Task Sweep()
    {
        using var patience = new CancellationTokenSource(TickMax, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, process.ApplicationStopping);
        try
        {
            await SweepBatches(end.Token);
        }
        catch (StoreUnavailableException fault)
        {
            log.SweepInterrupted(fault.Reason);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The silo stops, or a batch took too long: the next tick goes on where this one stood.
        }
        catch (LeaseLostException)
        {
            // Another activation goes on. The next one here reads how far that one has come.
            DeactivateOnIdle();
        }
        catch (OrleansException failure)
        {
            // The state was not written, or may have been: the next activation reads what is stored.
            log.MaintenanceStateNotWritten(failure.GetType().Name);
            DeactivateOnIdle();
        }
        finally
        {
            await Release();
        }
    }

    private async Task SweepBatches(CancellationToken cancel)
    {
        var startedMs = NowMs;
        for (var batch = 0; batch < BatchesMax && NowMs - startedMs < BatchesFor.TotalMilliseconds; batch++)
        {
            if (!await store.TryLease(holder, NowMs, NowMs + (long)LeaseFor.TotalMilliseconds, cancel)) return;
            await SweepBatch(cancel);
            if (state.State.IsRunning) continue;
            LogResults();
            return;
        }
    }

    private async Task SweepBatch(CancellationToken cancel)
    {
        var at = state.State.IsRunning ? state.State : state.State.Begin(NowMs);
        var swept = await store.Sweep(at.Step!.Value, at.Cursor, holder, NowMs, cancel);
        state.State = at.After(swept, NowMs);
        metrics.Swept(at.Step!.Value, swept.Removed);

        // Never cut off: it would leave unknown which version is stored.
        await state.WriteStateAsync(CancellationToken.None);
    }

    /// <summary>If this fails the lease runs out by itself.</summary>
    private async Task Release()
    {
        using var patience = new CancellationTokenSource(ReleaseMax, time);
        try
        {
            await store.ReleaseLease(holder, patience.Token);
        }
        catch (Exception failure) when (failure is StoreUnavailableException or OperationCanceledException)
        {
        }
    }

    private void LogResults()
    {
        var done = state.State;
        if (done.Results.All(result => result.Removed == 0)) return;
        var tombstones = done.RemovedBy(SweepStep.StripTombstones, SweepStep.PurgeErased, SweepStep.TrimTombstones);
        log.SweepDone(
            done.RemovedBy(SweepStep.Receipts), done.RemovedBy(SweepStep.Conflicts), tombstones, done.RemovedBy(SweepStep.Devices));
    }
}
