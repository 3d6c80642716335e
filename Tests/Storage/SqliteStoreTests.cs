using System.Runtime.Versioning;
using Microsoft.Data.Sqlite;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Sqlite;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public sealed class SqliteStoreTests : StoreContract
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-sqlite-").FullName;
    private SqliteStore store = null!;

    private protected override IUserStore Store => store;

    private protected override IStoreUpkeep Upkeep => store;

    private string Database => Path.Combine(directory, "sync.db");

    public override async Task InitializeAsync()
    {
        store = SqliteStore.Open(Database, new SqliteOptions(TombstonesMax: TombstonesMax, SweepRowsMax: SweepRowsMax));
        await store.Migrate(Cancel);
    }

    public override async Task DisposeAsync()
    {
        await store.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    protected override async Task Reopen()
    {
        await store.DisposeAsync();
        await InitializeAsync();
    }

    protected override async Task<object?> Sql(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task The_database_files_and_their_new_folder_are_made_readable_by_their_owner_alone()
    {
        var folder = Path.Combine(directory, "made", "for");
        var path = Path.Combine(folder, "sync.db");
        await (await Filled(path)).DisposeAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));

        // As an earlier release left them, killed: with a log beside the file.
        foreach (var left in (string[])[path, path + ".lock", path + "-wal", path + "-shm"])
        {
            await File.AppendAllTextAsync(left, "");
            File.SetUnixFileMode(left, (UnixFileMode)0b110_100_100);
        }

        await using var again = await Filled(path);
        Assert.Equal(
            ["sync.db", "sync.db-shm", "sync.db-wal", "sync.db.lock"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        Assert.All(
            Directory.GetFiles(folder), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));

        async Task<SqliteStore> Filled(string file)
        {
            var filled = SqliteStore.Open(file);
            await filled.Migrate(Cancel);
            return filled;
        }
    }

    [Fact]
    public void A_second_owner_of_the_file_is_refused_with_the_remedy()
    {
        var e = Assert.Throws<InvalidOperationException>(() => SqliteStore.Open(Database));

        Assert.Contains(Database, e.Message, StringComparison.Ordinal);
        Assert.Contains("Storage:SqlitePath", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_committed_is_there_after_reopening()
    {
        var user = User();
        await store.Commit(user, Entries(await store.HistoryState(user, null, Now, Cancel), 3), Cancel);
        await Reopen();

        Assert.Equal(3, (await store.Load(user, Revision.Origin, Now, Cancel)).Heads.Count);
    }

    [Fact]
    public async Task A_full_disk_is_a_fault_that_leaves_nothing_behind_and_passes()
    {
        var user = User();
        await store.DisposeAsync();
        store = SqliteStore.Open(Database, new SqliteOptions(PagesMax: 60));
        var at = await store.HistoryState(user, null, Now, Cancel);

        var e = await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await store.Commit(user, Entries(at, 5, json: $"\"{new string('x', 200_000)}\""), Cancel));

        Assert.Equal(("full", false), (e.Reason, e.OutcomeUnknown));
        Assert.Equal(at, await store.HistoryState(user, null, Now, Cancel));
        Assert.Equal(CommitResult.Held, (await store.Commit(user, Entries(at, 1), Cancel)).Result);
    }

    [Fact]
    public async Task A_write_whose_caller_gave_up_in_time_is_not_done()
    {
        var user = User();
        var at = await store.HistoryState(user, null, Now, Cancel);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await store.Commit(user, Entries(at, 1), new CancellationToken(canceled: true)));
        Assert.Equal(at, await store.HistoryState(user, null, Now, Cancel));
    }

    [Fact]
    public async Task More_writes_than_may_wait_are_refused()
    {
        await store.DisposeAsync();
        store = SqliteStore.Open(Database, new SqliteOptions(WritesWaitingMax: 1));
        var user = User();
        var at = await store.HistoryState(user, null, Now, Cancel);
        await using var blocker = new SqliteConnection($"Data Source={Database};Pooling=False");
        await blocker.OpenAsync();
        await using var block = blocker.BeginTransaction(deferred: false);

        // While the file is locked at most one group is in the writer's hands and one write waits.
        var writes = Enumerable.Range(0, 20).Select(_ => store.SignOut(user, Now, Cancel).AsTask()).ToArray();
        Assert.Contains(
            writes, write => write.Exception?.InnerException is StoreUnavailableException { Reason: "overload", OutcomeUnknown: false });
        await block.RollbackAsync();

        await Task.WhenAll(writes.Where(write => !write.IsFaulted));
        Assert.Equal(
            at with { NotBeforeMs = Now, Rights = writes.Count(write => !write.IsFaulted) },
            await store.HistoryState(user, null, Now, Cancel));
    }
}
