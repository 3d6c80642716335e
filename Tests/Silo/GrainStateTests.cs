using Mirubato.Tests.Support;

namespace Mirubato.Tests.Silo;

[Collection(SharesPostgres.Name)]
public sealed class GrainStatePostgresTests(PostgresCluster postgres) : GrainStateContract
{
    private string database = "";

    private protected override string Postgres => database;

    private protected override string SqlitePath => "";

    public override async Task InitializeAsync()
    {
        database = await postgres.FreshDatabase();
        await GrainStateDatabase.Migrate(database);
    }
}

public sealed class GrainStateSqliteTests : GrainStateContract
{
    private readonly SqliteFolder folder = new();

    private protected override string? Postgres => null;

    private protected override string SqlitePath => folder.Database;

    public override Task InitializeAsync() => Task.CompletedTask;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Assert.Equal([folder.File("mirubato.grains.db")], Directory.GetFiles(folder.Path));
        folder.Delete();
    }
}
