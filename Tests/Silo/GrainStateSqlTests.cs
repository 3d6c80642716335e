using System.Data.Common;
using System.Runtime.Versioning;
using Microsoft.Data.Sqlite;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Silo;

[Collection(SharesPostgres.Name)]
public sealed class GrainStatePostgresSqlTests(PostgresCluster cluster) : GrainStateSqlContract
{
    private NpgsqlDataSource source = null!;

    public override async Task InitializeAsync()
    {
        source = NpgsqlDataSource.Create(await cluster.EmptyDatabase(GetType()));
        await Apply();
    }

    public override Task DisposeAsync() => source.DisposeAsync().AsTask();

    private protected override Task Apply() => GrainStateDatabase.Migrate(source.ConnectionString);

    private protected override async Task<DbConnection> Connect() => await source.OpenConnectionAsync();
}

[UnsupportedOSPlatform("windows")]
public sealed class GrainStateSqliteSqlTests : GrainStateSqlContract
{
    private readonly SqliteFolder folder = new();

    public override Task InitializeAsync() => Apply();

    public override Task DisposeAsync()
    {
        folder.Delete();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task The_file_and_its_log_are_the_owners_alone()
    {
        await using var connection = await Connect();
        await using var command = connection.CreateCommand();
        command.CommandText = "UPDATE OrleansQuery SET QueryText = QueryText; PRAGMA journal_mode";

        Assert.Equal("wal", await command.ExecuteScalarAsync());
        Assert.All(
            Directory.GetFiles(folder.Path),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Contains(folder.File("mirubato.grains.db-wal"), Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task A_file_that_others_could_read_is_closed_to_them_at_the_next_start()
    {
        var file = folder.File("mirubato.grains.db");
        File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherRead);

        await Apply();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    private protected override Task Apply() => folder.GrainState.Prepare(CancellationToken.None);

    private protected override async Task<DbConnection> Connect()
    {
        var connection = new SqliteConnection(folder.GrainState.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
