using Mirubato.Tests.Support;

namespace Mirubato.Tests.WebApp;

[Collection(SharesPostgres.Name)]
public sealed class PostgresWebAppTests(PostgresCluster cluster) : WebAppContract
{
    protected override async Task<string> Storage(string name) => $"--Storage:Postgres={await cluster.FreshDatabase()}";
}

public sealed class SqliteWebAppTests : WebAppContract
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-webapp-").FullName;

    protected override Task<string> Storage(string name) => Task.FromResult($"--Storage:SqlitePath={Path.Combine(directory, $"{name}.db")}");

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
