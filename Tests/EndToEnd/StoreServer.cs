using Mirubato.Tests.Support;

namespace Mirubato.Tests.EndToEnd;

/// <summary>One server over a fresh store, for a whole class: its tests are users of their own.</summary>
public abstract class StoreServer : IAsyncLifetime
{
    internal LiveServer Server { get; private set; } = null!;

    /// <summary>The setting that names a fresh store.</summary>
    public abstract Task<string> Storage(string name);

    public async Task InitializeAsync() => Server = await LiveServer.Start(await Storage("sync"));

    public virtual async Task DisposeAsync() => await Server.DisposeAsync();
}

public sealed class PostgresServer(PostgresCluster cluster) : StoreServer
{
    public override async Task<string> Storage(string name) => $"--Storage:Postgres={await cluster.FreshDatabase()}";
}

public sealed class SqliteServer : StoreServer
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-server-").FullName;

    public override Task<string> Storage(string name) => Task.FromResult($"--Storage:SqlitePath={Path.Combine(directory, $"{name}.db")}");

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
