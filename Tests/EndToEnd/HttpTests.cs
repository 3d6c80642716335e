using Mirubato.Tests.Support;

namespace Mirubato.Tests.EndToEnd;

[Collection(SharesPostgres.Name)]
public sealed class PostgresHttpTests(PostgresCluster cluster) : HttpContract
{
    protected override async Task<string> Storage(string name) => $"--Storage:Postgres={await cluster.FreshDatabase()}";
}

public sealed class SqliteHttpTests : HttpContract
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-http-").FullName;

    protected override Task<string> Storage(string name) => Task.FromResult($"--Storage:SqlitePath={Path.Combine(directory, $"{name}.db")}");

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
