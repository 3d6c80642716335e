using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Support;
using Npgsql;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

[Collection(SharesPostgres.Name)]
public sealed class PostgresStoreTests(PostgresCluster cluster) : StoreContract
{
    private const string WhoWaits = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";

    private string database = "";
    private PostgresStore store = null!;

    private protected override IUserStore Store => store;

    private protected override IStoreUpkeep Upkeep => store;

    public override async Task InitializeAsync()
    {
        database = await cluster.EmptyDatabase(GetType());
        await Open();
    }

    public override Task DisposeAsync() => store.DisposeAsync().AsTask();

    protected override async Task Reopen()
    {
        await store.DisposeAsync();
        await Open();
    }

    protected override async Task<object?> Sql(string sql)
    {
        await using var connection = await Beside();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    [Fact]
    public async Task Processes_that_start_at_once_migrate_an_empty_database_once()
    {
        var fresh = await cluster.FreshDatabase();
        await using var one = PostgresStore.Open(fresh);
        await using var two = PostgresStore.Open(fresh);

        await Task.WhenAll(one.Migrate(Cancel).AsTask(), two.Migrate(Cancel).AsTask());
        await Task.WhenAll(one.Ping(Cancel).AsTask(), two.Ping(Cancel).AsTask());
        Assert.Equal(await one.TicketKey(Cancel), await two.TicketKey(Cancel));
        Assert.NotEqual(await store.TicketKey(Cancel), await two.TicketKey(Cancel));
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_is_a_timeout_and_changes_nothing()
    {
        await using var hasty = PostgresStore.Open(database, new PostgresOptions(CommandSecondsMax: 1));
        var (user, at) = await NewUser();
        await using var locked = await Lock(user);

        var e = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await hasty.Commit(user, Entries(at, 1), Cancel));

        Assert.Equal(("timeout", false), (e.Reason, e.OutcomeUnknown));
        await locked.RollbackAsync();
        Assert.Equal(CommitResult.Held, (await hasty.Commit(user, Entries(at, 1), Cancel)).Result);
    }

    [Fact]
    public async Task A_commit_whose_connection_is_cut_has_an_unknown_outcome()
    {
        var (user, at) = await NewUser();
        var locked = await Lock(user);
        var commit = store.Commit(user, Entries(at, 1), Cancel).AsTask();
        await CutWhoeverWaits();

        var e = await Assert.ThrowsAsync<StoreUnavailableException>(() => commit);

        Assert.Equal(("unreachable", true), (e.Reason, e.OutcomeUnknown));
        Assert.DoesNotContain("sync_", e.Message, StringComparison.OrdinalIgnoreCase);
        await locked.RollbackAsync();
        Assert.Equal(CommitResult.Held, (await store.Commit(user, Entries(at, 1), Cancel)).Result);
    }

    [Fact]
    public async Task A_commit_once_sent_is_awaited_though_its_caller_has_gone()
    {
        var (user, at) = await NewUser();
        var locked = await Lock(user);
        using var gone = new CancellationTokenSource();
        var commit = store.Commit(user, Entries(at, 1), gone.Token).AsTask();
        await SomebodyWaits();

        await gone.CancelAsync();
        await locked.RollbackAsync();

        Assert.Equal(CommitResult.Held, (await commit).Result);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await store.HistoryState(user, null, Now, gone.Token));
    }

    [Theory]
    [InlineData("53100", "full")]
    [InlineData("53200", "overload")]
    [InlineData("53300", "pool")]
    [InlineData("40001", "contention")]
    [InlineData("40P01", "contention")]
    [InlineData("57014", "timeout")]
    [InlineData("08006", "unreachable")]
    public async Task Each_PostgreSQL_error_has_a_class_and_half_a_commit_is_no_commit(string sqlState, string reason)
    {
        await Sql($"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{sqlState}'; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION fail()
            """);
        var (user, at) = await NewUser();

        var e = await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await store.Commit(user, Entries(at, 1) with { Receipts = [Receipt("k")] }, Cancel));

        Assert.Equal((reason, false), (e.Reason, e.OutcomeUnknown));
        Assert.Equal(at, await store.HistoryState(user, null, Now, Cancel));
        Assert.Empty((await store.Read(user, null, new ReadQuery(), Now, Cancel)).Rows);
    }

    [Fact]
    public async Task An_exhausted_pool_is_named_as_such()
    {
        await using var narrow = PostgresStore.Open(database, new PostgresOptions(PoolSizeMax: 1, ConnectSecondsMax: 1));
        var (user, at) = await NewUser();
        await using var locked = await Lock(user);
        // So large that it goes alone, and waits as long as it takes.
        var first = narrow.Commit(user, Entries(at, 1, json: $"\"{new string('x', 100_000)}\""), Cancel).AsTask();
        await SomebodyWaits();

        var e = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await narrow.Commit(user, Entries(at, 1), Cancel));

        Assert.Equal(("pool", false), (e.Reason, e.OutcomeUnknown));
        await locked.RollbackAsync();
        Assert.Equal(CommitResult.Held, (await first).Result);
    }

    [Fact]
    public async Task A_read_does_not_wait_behind_a_commit_that_waits_for_its_users_row()
    {
        await using var narrow = PostgresStore.Open(database, new PostgresOptions(PoolSizeMax: 2, ConnectSecondsMax: 1));
        var (user, at) = await NewUser();
        await using var locked = await Lock(user);
        var commit = narrow.Commit(user, Entries(at, 1, json: $"\"{new string('x', 100_000)}\""), Cancel).AsTask();
        await SomebodyWaits();

        Assert.Equal(at, await narrow.HistoryState(user, null, Now, Cancel));

        Assert.False(commit.IsCompleted);
        await locked.RollbackAsync();
        Assert.Equal(CommitResult.Held, (await commit).Result);
    }

    [Fact]
    public async Task A_batch_that_waits_while_another_process_takes_the_lease_changes_nothing()
    {
        var (user, at) = await NewUser();
        await store.Commit(user, Commit(at) with { Receipts = [Receipt("k", Now)] }, Cancel);
        Assert.True(await store.TryLease("a", Now, Now + 1, Cancel));
        await using var other = await Beside();
        await using var taking = await other.BeginTransactionAsync();
        await Run(other, "UPDATE maintenance_lease SET holder = 'b'");

        var batch = store.Sweep(SweepStep.Receipts, null, "a", Now, Cancel).AsTask();
        await SomebodyWaits();
        await taking.CommitAsync();

        await Assert.ThrowsAsync<LeaseLostException>(() => batch);
        Assert.Equal(1L, await Sql("SELECT count(*) FROM idempotency_keys"));
    }

    [Fact]
    public async Task Taking_the_lease_waits_for_the_batch_under_way()
    {
        var (user, at) = await NewUser();
        await store.Commit(user, Commit(at, [.. Enumerable.Range(1, TombstonesMax + 1).Select(i => Tombstone(Entry($"t{i}"), i))]), Cancel);
        Assert.True(await store.TryLease("a", Now, Now + 1, Cancel));
        var locked = await Lock(user);
        var batch = store.Sweep(SweepStep.TrimTombstones, null, "a", Now, Cancel).AsTask();
        await SomebodyWaits();

        var taking = store.TryLease("b", Now + 1, Now + 2, Cancel).AsTask();
        await UntilTrue($"SELECT count(*) > 1 {WhoWaits}");
        await locked.RollbackAsync();

        Assert.Equal(1, (await batch).Removed);
        Assert.True(await taking);
    }

    /// <summary>Found by the fault suite: the store restarted in the middle of a sweep, and the process ended.</summary>
    [Fact]
    public async Task A_sweep_whose_connection_is_cut_fails_as_the_store_does()
    {
        await using var other = await Beside();
        await using var busy = await other.BeginTransactionAsync();
        await Run(other, "LOCK TABLE idempotency_keys");
        var sweep = store.Sweep(Now, Cancel).AsTask();
        await CutWhoeverWaits();

        Assert.Equal("unreachable", (await Assert.ThrowsAsync<StoreUnavailableException>(() => sweep)).Reason);
        await busy.RollbackAsync();
        await store.Sweep(Now, Cancel);
    }

    private async Task Open()
    {
        store = PostgresStore.Open(database, new PostgresOptions(TombstonesMax: TombstonesMax, SweepRowsMax: SweepRowsMax));
        await store.Migrate(Cancel);
    }

    private async Task<(UserId User, HistoryState At)> NewUser()
    {
        var user = User();
        return (user, await store.HistoryState(user, null, Now, Cancel));
    }

    private async Task<NpgsqlConnection> Beside()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ToString());
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Holds the row every commit of the user needs.</summary>
    private async Task<NpgsqlTransaction> Lock(UserId user)
    {
        var connection = await Beside();
        var transaction = await connection.BeginTransactionAsync();
        await Run(connection, $"SELECT * FROM sync_metadata WHERE user_id = '{user}' FOR UPDATE");
        return transaction;
    }

    private Task CutWhoeverWaits() => UntilTrue($"SELECT bool_or(pg_terminate_backend(pid)) {WhoWaits}");

    private Task SomebodyWaits() => UntilTrue($"SELECT count(*) > 0 {WhoWaits}");

    private async Task UntilTrue(string sql)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await using var connection = await Beside();
        await using var command = new NpgsqlCommand(sql, connection);
        while (await command.ExecuteScalarAsync(patience.Token) is not true) { }
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
