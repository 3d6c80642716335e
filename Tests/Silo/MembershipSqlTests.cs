using System.Data;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Docs;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Silo;

/// <summary>
/// The member list of an Orleans cluster, kept by our statements, asked for as Orleans asks: by name, with parameters of its names and
/// types, the version of the list as a condition, results by column.
/// </summary>
[Collection(SharesPostgres.Name)]
public sealed class MembershipSqlTests(PostgresCluster cluster) : IAsyncLifetime
{
    private const int Active = 3;
    private const int Dead = 6;
    private static readonly DateTime Start = new(2026, 11, 22, 10, 0, 0, DateTimeKind.Utc);
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        var database = await cluster.EmptyDatabase(GetType());
        for (var start = 0; start < 2; start++)
        {
            await using var store = PostgresStore.Open(database, new PostgresOptions(AlsoApply: SourceTree.Read("Silo/Membership.sql")));
            await store.Migrate(CancellationToken.None);
        }

        source = NpgsqlDataSource.Create(database);
        Assert.Equal(1, await Number("InsertMembershipVersionKey"));
    }

    public Task DisposeAsync() => source.DisposeAsync().AsTask();

    [Fact]
    public async Task The_first_version_is_made_once() => Assert.Equal(0, await Number("InsertMembershipVersionKey"));

    [Fact]
    public async Task An_empty_list_still_has_a_version()
    {
        var row = Assert.Single(await Rows("MembershipReadAllKey"));
        Assert.Equal(0, row["Version"]);
        Assert.Null(row["StartTime"]);
        Assert.Null(row["MetadataJson"]);
    }

    [Fact]
    public async Task A_silo_joins_on_the_version_it_has_read_and_on_no_other()
    {
        Assert.Equal(0, await Insert(port: 1, version: 7));
        Assert.Equal(1, await Insert(port: 1, version: 0));
        Assert.Equal(0, await Insert(port: 2, version: 0));
        Assert.Equal(0, await Insert(port: 1, version: 1));

        var row = Assert.Single(await Rows("MembershipReadRowKey", Silo(1)));
        Assert.Equal(
            ("10.0.0.1", 1, 5, "Silo1", "host", Active, 30_000, 1),
            (
                row["Address"], row["Port"], row["Generation"], row["SiloName"], row["HostName"], row["Status"],
                row["ProxyPort"], row["Version"]));
        Assert.Equal(Start, row["StartTime"]);
        Assert.Null(row["SuspectTimes"]);
        Assert.Null(Assert.Single(await Rows("MembershipReadRowKey", Silo(9)))["StartTime"]);
    }

    [Fact]
    public async Task Of_silos_that_write_on_one_version_one_succeeds()
    {
        var joined = await Task.WhenAll(Enumerable.Range(1, 8).Select(port => Insert(port, version: 0)));

        Assert.Equal(1, joined.Sum());
        Assert.Equal(1, Assert.Single(await Rows("MembershipReadAllKey"))["Version"]);
    }

    [Fact]
    public async Task A_silo_is_suspected_and_voted_dead_and_leaves_the_gateways()
    {
        await Insert(port: 1, version: 0);
        Assert.Single(await Rows("GatewaysQueryKey", ("Status", Active)));

        Assert.Equal(
            0,
            await Number(
                "UpdateMembershipKey", [.. Silo(1), ("Status", Dead), ("SuspectTimes", "x"), ("IAmAliveTime", Start), ("Version", 0)]));
        Assert.Equal(
            0,
            await Number(
                "UpdateMembershipKey", [.. Silo(2), ("Status", Dead), ("SuspectTimes", "x"), ("IAmAliveTime", Start), ("Version", 1)]));
        Assert.Equal(
            1,
            await Number(
                "UpdateMembershipKey", [.. Silo(1), ("Status", Dead), ("SuspectTimes", "x"), ("IAmAliveTime", Start), ("Version", 1)]));

        Assert.Empty(await Rows("GatewaysQueryKey", ("Status", Active)));
        var row = Assert.Single(await Rows("MembershipReadAllKey"));
        Assert.Equal((Dead, "x", 2), (row["Status"], row["SuspectTimes"], row["Version"]));
        Assert.Equal(
            1,
            await Number(
                "UpdateMembershipKey", [.. Silo(1), ("Status", Dead), ("SuspectTimes", null), ("IAmAliveTime", Start), ("Version", 2)]));
    }

    [Fact]
    public async Task A_sign_of_life_changes_no_version_and_only_the_dead_are_cleared_away()
    {
        await Insert(port: 1, version: 0);
        await Insert(port: 2, version: 1);
        await Rows("UpdateIAmAlivetimeKey", [.. Silo(1), ("IAmAliveTime", Start.AddHours(1))]);
        Assert.All(await Rows("MembershipReadAllKey"), row => Assert.Equal(2, row["Version"]));
        await Number(
            "UpdateMembershipKey", [.. Silo(2), ("Status", Dead), ("SuspectTimes", null), ("IAmAliveTime", Start), ("Version", 2)]);

        await Rows("CleanupDefunctSiloEntriesKey", ("IAmAliveTime", Start.AddDays(1)));

        Assert.Equal(1, Assert.Single(await Rows("MembershipReadAllKey"))["Port"]);
        await Rows("DeleteMembershipTableEntriesKey");
        Assert.Empty(await Rows("MembershipReadAllKey"));
    }

    private static (string Name, object? Value)[] Silo(int port) => [("Address", "10.0.0.1"), ("Port", port), ("Generation", 5)];

    private Task<int> Insert(int port, int version) => Number(
        "InsertMembershipKey",
        [
            .. Silo(port), ("IAmAliveTime", Start), ("SiloName", "Silo" + port), ("HostName", "host"), ("StartTime", Start),
            ("Status", Active), ("ProxyPort", 30_000), ("Version", version),
        ]);

    private async Task<int> Number(string query, params (string Name, object? Value)[] parameters) =>
        (int)Assert.Single(Assert.Single(await Rows(query, parameters))).Value!;

    private async Task<List<Dictionary<string, object?>>> Rows(string query, params (string Name, object? Value)[] parameters)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var find = new NpgsqlCommand(
            "SELECT QueryText FROM OrleansQuery WHERE QueryKey = $1", connection)
        { Parameters = { new() { Value = query } } };
        await using var command = new NpgsqlCommand((string)(await find.ExecuteScalarAsync())!, connection);
        foreach (var (name, value) in parameters.Prepend(("DeploymentId", "c1")))
            command.Parameters.Add(
                new NpgsqlParameter { ParameterName = name, Value = value ?? DBNull.Value, Direction = ParameterDirection.Input });
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Dictionary<string, object?>>();
        while (await reader.ReadAsync())
        {
            var row = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < reader.FieldCount; i++) row[reader.GetName(i)] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }

        return rows;
    }
}
