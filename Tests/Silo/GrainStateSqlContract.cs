using System.Data;
using System.Data.Common;

namespace Mirubato.Tests.Silo;

/// <summary>
/// The state of grains, kept by our statements, asked for as Orleans asks: by name, with parameters of its names and types, results by
/// column. A write that is refused returns no row; Orleans reads that as a version that is not the stored one.
/// </summary>
public abstract class GrainStateSqlContract : IAsyncLifetime
{
    private const string ReadKey = "ReadFromStorageKey";
    private const string WriteKey = "WriteToStorageKey";
    private const string ClearKey = "ClearStorageKey";
    private static readonly StateKey Key = new("service", "progress", 0, 7, null);

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    /// <summary>What each start does.</summary>
    private protected abstract Task Apply();

    private protected abstract Task<DbConnection> Connect();

    [Fact]
    public async Task A_state_that_was_never_written_has_no_row() => Assert.Empty(await Rows(ReadKey, Key));

    [Fact]
    public async Task A_first_write_succeeds_once()
    {
        Assert.Equal(1, await Write(Key, null, 1, 2));
        Assert.Null(await Write(Key, null, 3));

        Assert.Equal("1: 01-02", await Read(Key));
    }

    [Fact]
    public async Task Only_the_stored_version_is_written_over()
    {
        Assert.Null(await Write(Key, 1, 1));
        await Write(Key, null, 1);

        Assert.Equal(2, await Write(Key, 1, 2));
        Assert.Null(await Write(Key, 1, 3));
        Assert.Null(await Write(Key, 3, 3));
        Assert.Equal("2: 02", await Read(Key));
    }

    [Fact]
    public async Task A_clear_leaves_its_version_for_the_next_write()
    {
        Assert.Null(await Clear(Key, 1));
        await Write(Key, null, 1);

        Assert.Null(await Clear(Key, null));
        Assert.Null(await Clear(Key, 2));
        Assert.Equal(2, await Clear(Key, 1));

        Assert.Equal("2: ", await Read(Key));
        Assert.Null(await Write(Key, null, 1));
        Assert.Null(await Write(Key, 1, 1));
        Assert.Equal(3, await Write(Key, 2, 5));
        Assert.Equal("3: 05", await Read(Key));
    }

    [Fact]
    public async Task Every_part_of_a_key_tells_states_apart()
    {
        StateKey[] keys =
        [
            Key, Key with { Service = "Service" }, Key with { State = "Progress" }, Key with { N0 = 7, N1 = 0 }, Key with { N1 = -7 },
            Key with { Text = "a" }, Key with { Text = "A" },
        ];
        for (byte i = 0; i < keys.Length; i++) Assert.Equal(1, await Write(keys[i], null, i));
        Assert.Equal(2, await Write(Key, 1, 99));
        Assert.Equal(2, await Clear(Key with { Text = "a" }, 1));

        Assert.Equal(["2: 63", "1: 01", "1: 02", "1: 03", "1: 04", "2: ", "1: 06"], await Task.WhenAll(keys.Select(Read)));
    }

    [Fact]
    public async Task Of_writes_at_once_on_one_version_one_succeeds()
    {
        foreach (var version in new int?[] { null, 1, 2 })
        {
            var written = await Task.WhenAll(Enumerable.Range(1, 8).Select(i => Task.Run(() => Write(Key, version, (byte)i))));

            var winner = Assert.Single(Enumerable.Range(1, 8), i => written[i - 1] is not null);
            Assert.Equal($"{(version ?? 0) + 1}: {winner:X2}", await Read(Key));
        }
    }

    [Fact]
    public async Task Another_start_replaces_statements_and_leaves_states()
    {
        await Write(Key, null, 1);
        var statements = await Sql("SELECT QueryKey, QueryText FROM OrleansQuery ORDER BY QueryKey");
        await Sql("UPDATE OrleansQuery SET QueryText = 'old' WHERE QueryKey = 'ClearStorageKey'");

        await Apply();

        Assert.Equal(statements, await Sql("SELECT QueryKey, QueryText FROM OrleansQuery ORDER BY QueryKey"));
        Assert.Equal("1: 01", await Read(Key));
    }

    private async Task<string> Read(StateKey key)
    {
        var row = Assert.Single(await Rows(ReadKey, key));
        return $"{row["Version"]}: {BitConverter.ToString((byte[]?)row["PayloadBinary"] ?? [])}";
    }

    private Task<int?> Write(StateKey key, int? version, params byte[] payload) =>
        Changed(WriteKey, key, ("GrainStateVersion", DbType.Int32, version), ("PayloadBinary", DbType.Binary, payload));

    private Task<int?> Clear(StateKey key, int? version) => Changed(ClearKey, key, ("GrainStateVersion", DbType.Int32, version));

    private async Task<int?> Changed(string query, StateKey key, params (string Name, DbType Type, object? Value)[] parameters) =>
        (await Rows(query, key, parameters)).SingleOrDefault()?["NewGrainStateVersion"] is { } version ? Convert.ToInt32(version) : null;

    private async Task<List<Dictionary<string, object?>>> Rows(
        string query, StateKey key, params (string Name, DbType Type, object? Value)[] parameters)
    {
        await using var connection = await Connect();
        await using var find = connection.CreateCommand();
        find.CommandText = $"SELECT QueryText FROM OrleansQuery WHERE QueryKey = '{query}'";
        return await Rows(connection, (string)(await find.ExecuteScalarAsync())!, [.. key.Parameters, .. parameters]);
    }

    private async Task<IEnumerable<string>> Sql(string sql)
    {
        await using var connection = await Connect();
        return (await Rows(connection, sql)).Select(row => string.Join('|', row.Values));
    }

    /// <summary>All rows of all results, as Orleans collects them.</summary>
    private static async Task<List<Dictionary<string, object?>>> Rows(
        DbConnection connection, string sql, params (string Name, DbType Type, object? Value)[] parameters)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, type, value) in parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value, parameter.DbType) = (name, value ?? DBNull.Value, type);
            command.Parameters.Add(parameter);
        }

        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Dictionary<string, object?>>();
        do
        {
            while (await reader.ReadAsync())
            {
                var row = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
                for (var i = 0; i < reader.FieldCount; i++) row[reader.GetName(i)] = reader.IsDBNull(i) ? null : reader.GetValue(i);
                rows.Add(row);
            }
        }
        while (await reader.NextResultAsync());
        return rows;
    }

    private sealed record StateKey(string Service, string State, long N0, long N1, string? Text)
    {
        /// <summary>The hashes are the same for all: they say nothing that the key does not.</summary>
        public IEnumerable<(string Name, DbType Type, object? Value)> Parameters =>
        [
            ("GrainIdHash", DbType.Int32, 1), ("GrainIdN0", DbType.Int64, N0), ("GrainIdN1", DbType.Int64, N1), (
                "GrainTypeHash", DbType.Int32, 1),
            ("GrainTypeString", DbType.String, State), (
                "GrainIdExtensionString", DbType.String, Text), ("ServiceId", DbType.String, Service),
        ];
    }
}
