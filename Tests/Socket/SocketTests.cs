using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

[Collection(SharesPostgres.Name)]
public sealed class PostgresSocketTests(PostgresCluster cluster) : OneGatewayContract
{
    protected override async Task<string> Storage(string name) => $"--Storage:Postgres={await cluster.FreshDatabase()}";
}

public sealed class SqliteSocketTests : OneGatewayContract
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-ws-").FullName;

    protected override Task<string> Storage(string name) => Task.FromResult($"--Storage:SqlitePath={Path.Combine(directory, $"{name}.db")}");

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
