using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Storage.D1;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Mirubato.Grains;

/// <summary>
/// Imports a database of the original backend: 1. every user's history is put above the old revisions; 2. the rows, in the order of users,
/// are written through the users' coordinators, batch by batch; 3. the page of refused rows is stored, then the state. A batch that was
/// cut off is done again and finds what it had written unchanged; the same holds for a whole import that is run twice.
/// </summary>
/// <remarks>It is reentrant, so that a tick sees that another one runs, and its progress can be read meanwhile.</remarks>
[GrainType("mirubato-import"), Reentrant, PreferLocalPlacement]
internal sealed class ImportGrain(
    [PersistentState("import")] IPersistentState<ImportState> state,
    [FromKeyedServices(ServerClock.Key)] TimeProvider time,
    IHostApplicationLifetime process,
    ILogger<ImportGrain> log) : Grain, IImportGrain
{
    /// <summary>After this no batch is started.</summary>
    private static readonly TimeSpan BatchesFor = TimeSpan.FromSeconds(15);

    private bool isTicking;
    private Task stored = Task.CompletedTask;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private ImportReport Report => state.State.Imports[0];

    public Task<ImportReport[]> List() => Task.FromResult(state.State.Imports);

    public async Task<ImportStart> Start(ImportOrder order)
    {
        if (state.State.Running is { } other)
            return new ImportStart(null, $"Import {other.Id} is running; wait for its end, or cancel it.");
        try
        {
            var (totals, file) = await BodyWork.Run(int.MaxValue, order.Path, Count);
            return new ImportStart(await Begin(order, totals, file));
        }
        catch (D1FileException wrong)
        {
            var isMissing = !File.Exists(order.Path);

            // The next call places the grain in the silo that it comes by.
            if (isMissing) DeactivateOnIdle();
            return new ImportStart(null, wrong.Message, isMissing);
        }
    }

    /// <summary>Stored at once: were the silo lost before the batch ends, the next activation would go on.</summary>
    public async Task<bool> Cancel(string id)
    {
        if (state.State.Running?.Id != id) return false;
        await Store(state.State with { IsCancelled = true });
        if (!isTicking && state.State.Running?.Id == id) await End(ImportStatus.Cancelled);
        return true;
    }

    public async Task<bool> Tick()
    {
        if (isTicking || state.State.Running is null) return false;
        isTicking = true;
        try
        {
            return await GoOn();
        }
        finally
        {
            isTicking = false;
        }
    }

    private static (D1Totals Totals, string File) Count(string path)
    {
        using var file = D1File.Open(path);
        return (file.Count(), D1File.Identify(path));
    }

    private async Task<ImportReport> Begin(ImportOrder order, D1Totals totals, string file)
    {
        foreach (var old in state.State.Imports.Skip(Limits.ImportsRemembered - 1)) await Forget(old);
        var report = new ImportReport(Guid.NewGuid().ToString("n"), order, NowMs)
        {
            OldSequence = totals.OldSequence,
            UsersTotal = totals.Users,
            RowsTotal = totals.Rows,
            PassedOver = totals.PassedOver,
        };
        await Store(state.State.Begin(report, file));
        log.ImportStarted(report.Id, totals.Rows, totals.Users);
        return report;
    }

    private async Task<bool> GoOn()
    {
        try
        {
            return await Batches();
        }
        catch (D1FileException wrong)
        {
            await End(ImportStatus.Failed, wrong.Message);
        }
        catch (StoreUnavailableException fault)
        {
            log.ImportInterrupted(Report.Id, fault.Reason);
        }
        catch (TimeoutException)
        {
            log.ImportInterrupted(Report.Id, "timeout");
        }
        catch (OrleansException failure)
        {
            // A silo is gone, or the state was not written, or may have been: the next activation reads what is stored.
            log.ImportInterrupted(Report.Id, failure.GetType().Name);
            DeactivateOnIdle();
        }

        return false;
    }

    private async Task<bool> Batches()
    {
        var path = Report.Order.Path;
        if (state.State.IsCancelled) await End(ImportStatus.Cancelled);
        if (state.State.Running is null) return false;
        if (!File.Exists(path)) return await WaitForFile(path);
        if (D1File.Identify(path) != state.State.File)
            throw new D1FileException($"{path} is another file than when the import began: start an import of this one.");
        using var file = D1File.Open(path);
        var startedMs = NowMs;
        while (state.State.Running is not null)
        {
            if (process.ApplicationStopping.IsCancellationRequested) return false;
            if (NowMs - startedMs >= BatchesFor.TotalMilliseconds) return true;
            if (state.State.IsCancelled) await End(ImportStatus.Cancelled);
            else await Batch(file);
        }

        return false;
    }

    /// <summary>This silo cannot go on: the next tick places the grain in the silo that calls.</summary>
    private async Task<bool> WaitForFile(string path)
    {
        var problem = $"This silo finds no file {path}: put it there, on each silo or on a disk that they share.";
        if (Report.Problem != problem) await Store(state.State.With(report => report with { Problem = problem }));
        DeactivateOnIdle();
        return false;
    }

    private async Task Batch(D1File file)
    {
        if (state.State.UserCursor is { } cursor) await StoreUsers(file.Users(cursor, Limits.ImportRowsMax));
        else if (file.Rows(state.State.Place, Limits.ImportRowsMax, Limits.ImportBytesMax) is { Count: > 0 } rows) await StoreRows(rows);
        else await End(ImportStatus.Done);
    }

    private async Task StoreUsers(List<string> users)
    {
        if (!Report.Order.DryRun) await ImportWriter.StartAbove(GrainFactory, users, new Revision(Report.OldSequence));
        await Store(state.State.AfterUsers(users));
    }

    private async Task StoreRows(List<D1Row> rows)
    {
        var tally = new ImportTally();
        var writer = new ImportWriter(GrainFactory, tally);
        await (Report.Order.DryRun ? writer.Check(rows) : writer.Write(rows));
        if (tally.Refused.Count > 0) await Page(Report.Pages + 1).Write([.. tally.Refused]);
        await Store(state.State.AfterRows(rows, tally));
    }

    private async Task End(ImportStatus status, string? problem = null)
    {
        await Store(state.State.End(status, NowMs, problem));
        log.ImportEnded(Report.Id, status, Report.Changed, Report.Unchanged, Report.Refused);
        if (Report.Order.DeleteFile) D1File.Delete(Report.Order.Path);
    }

    private async Task Forget(ImportReport old)
    {
        for (var page = 1; page <= old.Pages; page++)
            await GrainFactory.GetGrain<IImportPageGrain>(ImportPageGrain.Key(old.Id, page)).Clear();
    }

    private IImportPageGrain Page(int number) => GrainFactory.GetGrain<IImportPageGrain>(ImportPageGrain.Key(Report.Id, number));

    /// <summary>One write after the other: a cancellation comes while a batch is under way.</summary>
    private Task Store(ImportState next)
    {
        state.State = next;
        return stored = WriteAfter(stored);
    }

    private async Task WriteAfter(Task before)
    {
        await Task.WhenAny(before);

        // Never cut off: it would leave unknown which version is stored.
        await state.WriteStateAsync(CancellationToken.None);
    }
}
