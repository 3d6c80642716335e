using Microsoft.Data.Sqlite;

namespace Mirubato.Grains.Storage.D1;

/// <summary>
/// The tables and columns that an import expects; docs/operations.md lists them. What differs is refused, all of it at once.
/// </summary>
internal static class D1Schema
{
    private static readonly (string Table, string[] Columns)[] Required =
    [
        ("users", ["id"]),
        ("sync_data", ["id", "user_id", "entity_type", "entity_id", "data", "updated_at", "deleted_at"]),
        ("sync_metadata", ["user_id"]),
    ];

    /// <summary>Columns of <c>sync_data</c> that are known and not taken over, or may be missing.</summary>
    private static readonly string[] AlsoKnown = ["checksum", "version", "created_at", "device_id", "seq"];

    public static void Check(SqliteConnection file)
    {
        var wrong = new List<string>();
        foreach (var (table, expected) in Required)
        {
            var columns = Columns(file, table);
            if (columns.Count == 0) wrong.Add($"there is no table {table}");
            else wrong.AddRange(expected.Except(columns).Select(column => $"{table} has no column {column}"));
        }

        var unknown = Columns(file, "sync_data").Except([.. Required[1].Columns, .. AlsoKnown]).ToList();
        wrong.AddRange(unknown.Select(column => $"sync_data has a column {column}, whose content would be lost"));
        if (wrong.Count == 0) return;
        throw new D1FileException(
            $"The file is no database of the original backend: {string.Join("; ", wrong)}. Export the database that holds users, sync_data "
            + "and sync_metadata, after its last migration; drop columns of your own from a copy.");
    }

    public static IReadOnlyList<string> Columns(SqliteConnection file, string table)
    {
        using var command = file.CreateCommand();
        command.CommandText = "SELECT name FROM pragma_table_info($table)";
        command.Parameters.AddWithValue("$table", table);
        using var reader = command.ExecuteReader();
        var columns = new List<string>();
        while (reader.Read()) columns.Add(reader.GetString(0));
        return columns;
    }
}
