using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Faults;

/// <summary>
/// Three silos, each with its Gateway, over a PostgreSQL of their own, whose table of entities writes down each of its rows, and what can
/// befall them.
/// </summary>
internal sealed class FaultCluster : IAsyncDisposable
{
    public const int Size = 3;

    // What commits is on record in the same transaction, so the record is exactly the history of revisions.
    private const string Record = """
        CREATE TABLE audit (user_id text, entity_type text, entity_id text, seq bigint, version bigint, effective_ms bigint,
            client_ms bigint,
            device_id text, is_deleted boolean, marker text, at timestamptz);
        CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit VALUES (NEW.user_id, NEW.entity_type, NEW.entity_id, NEW.seq, NEW.version, NEW.effective_ms, NEW.client_ms,
                NEW.device_id, NEW.deleted_ms IS NOT NULL, NEW.data::json ->> 'notes', clock_timestamp());
            RETURN NULL;
        END $$;
        CREATE TRIGGER audit AFTER INSERT OR UPDATE ON sync_data FOR EACH ROW EXECUTE FUNCTION audit_row();
        """;

    private readonly PostgresCluster store;
    private readonly DirectoryInfo logs;
    private readonly SemaphoreSlim storeTurn = new(1);

    private FaultCluster(PostgresCluster store, string database, DirectoryInfo logs, bool hasOperators)
    {
        (this.store, Database, this.logs) = (store, new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ToString(), logs);
        Gateways =
        [
            .. Enumerable.Range(0, Size).Select(i => GatewayProcess.Over(
                database, Path.Combine(logs.FullName, $"gateway-{i}.log"), hasOperators: hasOperators)),
        ];
    }

    public string Database { get; }

    public IReadOnlyList<GatewayProcess> Gateways { get; }

    public IReadOnlyList<Uri> Urls => [.. Gateways.Select(gateway => gateway.Url)];

    public static async Task<FaultCluster> Start(bool hasOperators = false)
    {
        var store = await PostgresCluster.StartOwn(fsync: true);
        var cluster = new FaultCluster(
            store, await store.FreshDatabase(), Directory.CreateTempSubdirectory("mirubato-faults-"), hasOperators);
        try
        {
            await Task.WhenAll(cluster.Gateways.Select(gateway => gateway.Start()));
            await cluster.Run(Record);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task Befall(FaultStep step) => step.Act switch
    {
        Act.KillSilo => Gateways[step.Number].Kill(() => FaultWorld.For(step.ForMs)),
        Act.PauseSilo => Gateways[step.Number].Pause(() => FaultWorld.For(step.ForMs)),
        Act.RestartStore => RestartStore(),
        Act.CutConnections => CutConnections(),
        _ => Task.CompletedTask,
    };

    public async Task Heal()
    {
        await storeTurn.WaitAsync();
        storeTurn.Release();
        foreach (var gateway in Gateways) await gateway.Heal();
    }

    public string Complaints() =>
        string.Join(
            '\n',
            Gateways.SelectMany(gateway => gateway.Log.Split('\n'))
                .Where(line => line.Contains("fail:", StringComparison.Ordinal) || line.Contains("crit:", StringComparison.Ordinal))
                .Take(20));

    public string Logs => logs.FullName;

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in Gateways) await gateway.DisposeAsync();
        await store.DisposeAsync();
        storeTurn.Dispose();
    }

    public void DeleteLogs() => logs.Delete(recursive: true);

    private async Task RestartStore()
    {
        if (!await storeTurn.WaitAsync(0)) return;
        try
        {
            await store.RestartAtOnce();
        }
        finally
        {
            storeTurn.Release();
        }
    }

    /// <summary>
    /// As when a proxy or a firewall drops them: commits, reads and the member list lose theirs in the midst of a statement.
    /// </summary>
    private async Task CutConnections()
    {
        try
        {
            await Run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        }
        catch (NpgsqlException)
        {
            // The store is down just now, or another cut was faster.
        }
    }

    private async Task Run(string sql)
    {
        await using var connection = new NpgsqlConnection(Database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
