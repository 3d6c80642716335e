using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Import;

/// <summary>Imports of the original backend's database by a cluster of two silos over a real store.</summary>
public abstract class ImportContract : IAsyncLifetime, IDisposable
{
    private const int Users = 7;
    private const int GoodRows = 2500;
    private static readonly CancellationToken Cancel = CancellationToken.None;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-import-").FullName;
    private readonly FakeClock clock = new();
    private readonly CapturedLogs logs = new();
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<string, Func<ValueTask<CommitOutcome>>, ValueTask<CommitOutcome>>? around;
    private ImportCluster cluster = null!;

    private protected abstract IUserStore Store { get; }

    private protected abstract string? Postgres { get; }

    private string Dump => Path.Combine(folder, "d1.db");

    public virtual async Task InitializeAsync() =>
        cluster = await ImportCluster.Start(
            Store, Postgres, Path.Combine(folder, "state.db"), clock, logs,
            (silo, commit) => around is { } hook ? hook(silo, commit) : commit());

    public virtual async Task DisposeAsync()
    {
        released.TrySetResult();
        await cluster.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    public void Dispose()
    {
        logs.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Every_good_row_is_stored_above_the_old_revisions_and_each_bad_one_is_named_with_its_reason()
    {
        using var dump = new D1Dump(Dump).Fill(Users, GoodRows).Spoil(times: 3);

        var import = await Run();

        Assert.Equal(ImportStatus.Done, import.Status);
        Assert.Equal((GoodRows, 0, dump.Planted.Count), (import.Changed, import.Unchanged, import.Refused));
        Assert.Equal((Users, Users, dump.Rows, dump.Rows), (import.UsersDone, import.UsersTotal, import.RowsDone, import.RowsTotal));
        await AssertRefused(dump, import);
        await AssertStored();
    }

    [Fact]
    public async Task Run_again_it_changes_nothing()
    {
        using var dump = new D1Dump(Dump).Fill(Users, GoodRows).Spoil();
        await Run();
        var before = await States();

        var again = await Run();

        Assert.Equal((0, GoodRows, dump.Planted.Count), (again.Changed, again.Unchanged, again.Refused));
        Assert.Equal(before, await States());
        await AssertRefused(dump, again);
        Assert.Equal(2, (await cluster.Import.List()).Length);
    }

    [Fact]
    public async Task An_import_whose_silo_is_killed_in_the_middle_goes_on_in_the_other()
    {
        using var dump = new D1Dump(Dump).Fill(Users, GoodRows).Spoil(times: 2);
        var held = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var commits = 0;
        around = async (silo, commit) =>
        {
            var outcome = await commit();
            if (++commits == 5 && held.TrySetResult(silo)) await released.Task;
            return outcome;
        };
        await Begin();
        var killed = cluster.Import.Tick();
        var silo = await held.Task.WaitAsync(Patience);
        await cluster.Kill(silo);

        var import = await cluster.Finish();

        killed.Ignore();
        Assert.Equal(ImportStatus.Done, import.Status);
        Assert.Equal((GoodRows, dump.Planted.Count), (import.Changed + import.Unchanged, import.Refused));
        Assert.True(import.Unchanged > 0, "the batch under way was not done again");
        await AssertRefused(dump, import);
        await AssertStored();
    }

    [Fact]
    public async Task A_store_that_fails_ends_the_tick_and_the_next_one_goes_on()
    {
        using var dump = new D1Dump(Dump).Fill(Users, 100);
        around = (_, _) => throw InterruptedStore.Cut(outcomeUnknown: true);
        await Begin();
        Assert.False(await cluster.Import.Tick());
        Assert.Equal(ImportStatus.Running, (await cluster.Import.List())[0].Status);
        Assert.True(logs.Hold("was interrupted (unreachable)"));

        around = null;
        Assert.Equal(100, (await cluster.Finish()).Changed);
    }

    [Fact]
    public async Task A_dry_run_names_the_same_rows_and_stores_nothing()
    {
        using var dump = new D1Dump(Dump).Fill(Users, 100).Spoil();

        var import = await Run(dryRun: true);

        Assert.Equal((100, dump.Planted.Count), (import.Changed, import.Refused));
        await AssertRefused(dump, import);
        Assert.Empty(await Store.States([.. Enumerable.Range(0, Users).Select(User)], Cancel));
    }

    [Fact]
    public async Task What_was_edited_or_deleted_here_since_stays_and_is_named()
    {
        using var dump = new D1Dump(Dump);
        dump.Fill(users: 1, rows: 0);
        foreach (var id in (string[])["edited", "deleted", "same"])
            dump.Add("user-0", "goal", id, $$"""{"id":"{{id}}","notes":"old","updatedAt":"2025-02-01T10:00:00.000Z"}""");
        await Run();
        await Write("edited", """{"id":"edited","notes":"new","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await Write("deleted", """{"id":"deleted","deletedAt":"2026-01-01T00:00:00.000Z"}""");
        var before = await States(users: 1);

        var import = await Run();

        Assert.Equal((0, 1, 2), (import.Changed, import.Unchanged, import.Refused));
        Assert.Equal(
            [("edited", ItemRefusal.Stale), ("deleted", ItemRefusal.Deleted)],
            (await cluster.Refused(import)).Select(row => (row.EntityId!, row.Item)));
        Assert.Equal(before, await States(users: 1));
    }

    [Fact]
    public async Task A_file_that_is_gone_is_waited_for_and_another_in_its_place_ends_the_import()
    {
        using (var dump = new D1Dump(Dump)) dump.Fill(Users, 10);
        await Begin();
        File.Move(Dump, Dump + ".away");
        Assert.False(await cluster.Import.Tick());
        Assert.Contains("finds no file", (await cluster.Import.List())[0].Problem, StringComparison.Ordinal);
        using (var other = new D1Dump(Dump)) other.Fill(Users, 11);

        var import = await cluster.Finish();

        Assert.Equal(ImportStatus.Failed, import.Status);
        Assert.Contains("another file", import.Problem, StringComparison.Ordinal);
        Assert.True((await cluster.Import.Start(new ImportOrder(Dump + ".none"))).IsMissing);
        await File.WriteAllTextAsync(Dump + ".sql", "CREATE TABLE users (id TEXT);");
        Assert.False((await cluster.Import.Start(new ImportOrder(Dump + ".sql"))).IsMissing);
    }

    [Fact]
    public async Task One_import_runs_at_a_time_until_it_is_cancelled_and_the_last_ten_are_remembered()
    {
        using var dump = new D1Dump(Dump).Fill(1, 3).Spoil();
        var first = await Begin();
        Assert.Contains(
            $"{first.Id} is running", (await cluster.Import.Start(new ImportOrder(Dump))).Problem, StringComparison.Ordinal);
        Assert.False(await cluster.Import.Cancel("another"));
        Assert.True(await cluster.Import.Cancel(first.Id));
        Assert.Equal(ImportStatus.Cancelled, (await cluster.Import.List())[0].Status);

        var imports = new List<ImportReport> { first };
        for (var i = 0; i < Limits.ImportsRemembered; i++) imports.Add(await Run());

        var remembered = await cluster.Import.List();
        Assert.Equal(imports.Skip(1).Reverse().Select(import => import.Id), remembered.Select(import => import.Id));
        await Run();
        Assert.Empty(await cluster.Refused(imports[1]));
        Assert.NotEmpty(await cluster.Refused(imports[2]));
    }

    [Fact]
    public async Task What_was_cancelled_during_a_batch_stays_cancelled_when_its_silo_is_killed_before_the_batch_ends()
    {
        using var dump = new D1Dump(Dump).Fill(Users, GoodRows);
        var held = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        around = async (silo, commit) =>
        {
            var outcome = await commit();
            if (held.TrySetResult(silo)) await released.Task;
            return outcome;
        };
        var begun = await Begin();
        var killed = cluster.Import.Tick();
        var silo = await held.Task.WaitAsync(Patience);
        Assert.True(await cluster.Import.Cancel(begun.Id));
        Assert.Equal(ImportStatus.Running, (await cluster.Import.List())[0].Status);
        await cluster.Kill(silo);

        var import = await cluster.Finish();

        killed.Ignore();
        Assert.Equal((ImportStatus.Cancelled, 0), (import.Status, import.RowsDone));
    }

    private static UserId User(int number) => new($"user-{number}");

    private async Task<ImportReport> Begin(bool dryRun = false)
    {
        var start = await cluster.Import.Start(new ImportOrder(Dump, dryRun));
        Assert.Null(start.Problem);
        return start.Import!;
    }

    private async Task<ImportReport> Run(bool dryRun = false)
    {
        await Begin(dryRun);
        return await cluster.Finish();
    }

    private async Task Write(string id, string document)
    {
        var body = System.Text.Encoding.UTF8.GetBytes(document);
        var change = new Change("goal", id, new DocumentRange(0, body.Length));
        var write = new WriteRequest(new Caller(User(0), new DeviceId("phone"), clock.NowMs), WriteScope.Batch, null, body, [change]);
        Assert.Equal(RequestRefusal.None, (await cluster.Coordinator(User(0)).Write(write)).ValueOrThrow().Refusal);
    }

    private async Task AssertRefused(D1Dump dump, ImportReport import)
    {
        var refused = await cluster.Refused(import);
        Assert.Equal(dump.Planted.Count, refused.Count);
        Assert.All(refused, row => Assert.Equal(dump.Planted[row.Row], (row.Reason, row.Item)));
        Assert.Equal(dump.Planted.Keys.Order(), refused.Select(row => row.Row).Order());
    }

    /// <summary>Each good row is there, live or as a tombstone, at revisions without a gap from above the old sequence on.</summary>
    private async Task AssertStored()
    {
        var count = 0;
        for (var i = 0; i < Users; i++)
        {
            var loaded = await Store.Load(User(i), Revision.Origin, clock.NowMs, Cancel);
            var revisions = loaded.Heads.Select(head => head.Head.Seq.Number).Order().ToList();
            Assert.Equal(Enumerable.Range(1, revisions.Count).Select(n => D1Dump.OldSequence + n), revisions);
            Assert.Equal(new Revision(D1Dump.OldSequence + 1), loaded.HistoryState.First);
            Assert.All(loaded.Heads, head => Assert.Equal(head.Entity.Id[1..].EndsWith('9'), head.Head.IsDeleted));
            count += revisions.Count;
        }

        Assert.Equal(GoodRows, count);
    }

    private async Task<List<HistoryState>> States(int users = Users)
    {
        var states = new List<HistoryState>();
        for (var i = 0; i < users; i++) states.Add(await Store.HistoryState(User(i), null, clock.NowMs, Cancel));
        return states;
    }
}
