using System.Globalization;
using Microsoft.Data.Sqlite;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Import;

/// <summary>A database as the original backend's migrations leave it, with rows of every type and planted bad ones.</summary>
internal sealed class D1Dump : IDisposable
{
    public const long OldSequence = 7_000_000;

    private const string Schema = """
        CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE NOT NULL, display_name TEXT, created_at TIMESTAMP);
        CREATE TABLE sync_data (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, entity_type TEXT NOT NULL, entity_id TEXT NOT NULL,
            data TEXT NOT NULL, checksum TEXT NOT NULL, version INTEGER DEFAULT 1, created_at TIMESTAMP, updated_at TIMESTAMP,
            deleted_at TIMESTAMP, device_id TEXT, seq INTEGER, UNIQUE (user_id, entity_type, entity_id));
        CREATE INDEX idx_sync_data_user ON sync_data (user_id);
        CREATE TABLE sync_metadata (user_id TEXT PRIMARY KEY, last_sync_token TEXT, last_sync_time TIMESTAMP, device_count INTEGER);
        CREATE TABLE idempotency_keys (id TEXT PRIMARY KEY, key TEXT NOT NULL, user_id TEXT NOT NULL, request_hash TEXT NOT NULL,
            response TEXT NOT NULL, created_at DATETIME, expires_at DATETIME NOT NULL);
        CREATE TABLE sync_sequence (id INTEGER PRIMARY KEY CHECK (id = 1), current_value INTEGER NOT NULL);
        INSERT INTO sync_sequence VALUES (1, 7000000);
        INSERT INTO idempotency_keys VALUES ('i', 'k', 'user-0', 'hash', '{}', NULL, '2026-01-01T00:00:00.000Z');
        """;

    private static readonly string[] Types = ["logbook_entry", "goal", "practice_plan", "plan_occurrence", "plan_template", "my_type"];

    private readonly SqliteConnection connection;
    private readonly SqliteCommand insert;
    private long row;

    public D1Dump(string path)
    {
        connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, ForeignKeys = false }.ToString());
        connection.Open();
        Run(Schema);
        insert = connection.CreateCommand();
        insert.CommandText =
            "INSERT INTO sync_data (id, user_id, entity_type, entity_id, data, checksum, updated_at, deleted_at, seq) "
            + "VALUES ($id, $user, $type, $entity, $data, 'x', '2025-03-01 10:00:00', $deleted, $id)";
        foreach (var name in (string[])["$id", "$user", "$type", "$entity", "$data", "$deleted"])
            insert.Parameters.Add(new SqliteParameter { ParameterName = name });
    }

    /// <summary>By rowid: why a row is to be refused.</summary>
    public Dictionary<long, (ImportReason Reason, ItemRefusal Item)> Planted { get; } = [];

    public long Rows => row;

    /// <summary>Good rows, those of one user not side by side, one in ten of them deleted.</summary>
    public D1Dump Fill(int users, int rows)
    {
        using var transaction = connection.BeginTransaction();
        insert.Transaction = transaction;
        for (var i = 0; i < users; i++) Run($"INSERT INTO users (id, email) VALUES ('user-{i}', 'user-{i}@example.org')", transaction);
        for (var i = 0; i < rows; i++)
            Add(
                $"user-{i % users}", Types[i % Types.Length], $"e{i}",
                $$"""{"id":"e{{i}}","notes":"row {{i}}","updatedAt":"2025-02-01T10:00:{{i % 60:00}}.000Z"}""",
                i % 10 == 9 ? "2025-02-02 10:00:00" : null);
        transaction.Commit();
        insert.Transaction = null;
        return this;
    }

    /// <summary>One bad row of each kind, <paramref name="times"/> times.</summary>
    public D1Dump Spoil(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            Plant(ImportReason.UnknownUser, user: $"nobody-{i}");
            Plant(ImportReason.UserId, user: "");
            Plant(ImportReason.UserId, user: new byte[] { 1 });
            Plant(ImportReason.DeletedAt, deleted: "yesterday");
            Plant(ItemRefusal.UnknownType, type: "No Type");
            Plant(ItemRefusal.Invalid, data: "{");
            Plant(ItemRefusal.Invalid, data: "[1]");
            Plant(ItemRefusal.Invalid, data: new byte[] { 1, 2 });
            Plant(ItemRefusal.Invalid, entity: $"bell \u0007 {i}");
            Plant(ItemRefusal.DuplicateKeys, data: """{"a":1,"a":2}""");
            Plant(ItemRefusal.NumberOutOfRange, data: """{"a":1e400}""");
            Plant(ItemRefusal.TooDeep, data: new string('[', 80).Insert(0, """{"a":""") + new string(']', 80) + "}");
            Plant(ItemRefusal.TooLarge, data: $$"""{"a":"{{new string('x', Limits.EntityBytesMax)}}"}""");
            Plant(ItemRefusal.TooLarge, data: $$"""{"a":"{{new string('x', Limits.StoredBytesMax)}}"}""");
        }

        return this;
    }

    public void Add(object user, string type, string entity, object data, string? deleted = null)
    {
        row++;
        object?[] values = [row.ToString(CultureInfo.InvariantCulture), user, type, entity, data, deleted];
        foreach (var (parameter, value) in insert.Parameters.Cast<SqliteParameter>().Zip(values)) parameter.Value = value ?? DBNull.Value;
        insert.ExecuteNonQuery();
    }

    public void Run(string sql, SqliteTransaction? transaction = null)
    {
        using var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (sql, transaction);
        command.ExecuteNonQuery();
    }

    public void Dispose()
    {
        insert.Dispose();
        connection.Dispose();
    }

    private void Plant(ItemRefusal item, string type = "goal", string? entity = null, object? data = null) =>
        Plant(ImportReason.Item, "user-0", type, entity, data, null, item);

    private void Plant(
        ImportReason reason, object? user = null, string type = "goal", string? entity = null, object? data = null, string? deleted = null,
        ItemRefusal item = ItemRefusal.None)
    {
        Add(user ?? "user-0", type, entity ?? $"bad-{row}", data ?? "{}", deleted);
        Planted.Add(row, (reason, item));
    }
}
