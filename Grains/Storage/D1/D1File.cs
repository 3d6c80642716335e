using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace Mirubato.Grains.Storage.D1;

/// <summary>A database of the original backend, opened to be read: a SQLite file, as D1 keeps one.</summary>
internal sealed class D1File : IDisposable
{
    private const int BlockBytes = 4096;
    private const int BlocksMax = 256;
    private const long SequenceMax = 1L << 52;

    private const string RowColumns = """
        SELECT rowid, CASE typeof(user_id) WHEN 'text' THEN user_id END, CASE typeof(entity_type) WHEN 'text' THEN entity_type END,
            CASE typeof(entity_id) WHEN 'text' THEN entity_id END,
            CASE WHEN typeof(data) = 'text' AND length(CAST(data AS BLOB)) <= $bytes THEN CAST(data AS BLOB) END,
            length(CAST(data AS BLOB)), CAST(updated_at AS TEXT), CAST(deleted_at AS TEXT),
            EXISTS (SELECT 1 FROM users WHERE users.id = sync_data.user_id)
        FROM sync_data
        """;

    private readonly SqliteConnection connection;

    private D1File(string path)
    {
        connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
    }

    /// <exception cref="D1FileException">It is missing, damaged, or no such database.</exception>
    public static D1File Open(string path)
    {
        D1File? file = null;
        try
        {
            if (!IsDatabase(path))
                throw new D1FileException(
                    $"{path} is no SQLite database. `wrangler d1 export` writes SQL text: make a database of it with "
                    + "`sqlite3 d1.db < export.sql`, and import that.");
            file = new D1File(path);
            D1Schema.Check(file.connection);
            if (file.Text("PRAGMA encoding") != "UTF-8")
                throw new D1FileException($"{path} is not encoded as UTF-8: dump it and load it into a new database.");
            file.Number("SELECT count(*) FROM (SELECT rowid FROM sync_data LIMIT 1)");
            return file;
        }
        catch (Exception wrong) when (wrong is SqliteException or IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new D1FileException($"{path} cannot be read: {wrong.Message} Give this process a whole copy that it may read.", wrong);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Tells a file from one that has taken its place, by its length and by blocks spread over all of it.</summary>
    /// <exception cref="D1FileException">It cannot be read.</exception>
    public static string Identify(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var (block, blocks) = (new byte[BlockBytes], (stream.Length + BlockBytes - 1) / BlockBytes);
            for (var i = 0L; i < Math.Min(blocks, BlocksMax); i++)
            {
                stream.Position = i * blocks / Math.Min(blocks, BlocksMax) * BlockBytes;
                hash.AppendData(block, 0, stream.ReadAtLeast(block, BlockBytes, throwOnEndOfStream: false));
            }

            return string.Create(CultureInfo.InvariantCulture, $"{stream.Length}-{Convert.ToHexStringLower(hash.GetHashAndReset()[..8])}");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new D1FileException($"{path} cannot be read: {wrong.Message} Let this process read it, and import it again.", wrong);
        }
    }

    /// <summary>Where that is not allowed the file stays, and is the operator's to remove.</summary>
    public static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <exception cref="D1FileException">The file is damaged, or its revisions leave no room above them.</exception>
    public D1Totals Count() => Known(() =>
    {
        if (Text("PRAGMA quick_check(1)") is not "ok" and var damage)
            throw new D1FileException($"The file is damaged ({damage}): export it anew, or mend it with `sqlite3 file .recover`.");
        var sequence = OldSequence();
        if (sequence is < 0 or > SequenceMax)
            throw new D1FileException($"The highest seq of the file is {sequence}, which leaves no room above it: correct seq in a copy.");
        return new D1Totals(
            Number("SELECT count(*) FROM users"), Number("SELECT count(*) FROM sync_data"), sequence, [.. PassedOver()]);
    });

    /// <summary>Ids of users in order, those after <paramref name="after"/>.</summary>
    public List<string> Users(string after, int max) => Known(() =>
    {
        using var command = Command("SELECT id FROM users WHERE typeof(id) = 'text' AND id > $after ORDER BY id LIMIT $max");
        command.Parameters.AddWithValue("$after", after);
        command.Parameters.AddWithValue("$max", max);
        using var reader = command.ExecuteReader();
        var users = new List<string>();
        while (reader.Read()) users.Add(reader.GetString(0));
        return users;
    });

    /// <summary>Rows after a place, up to either bound and at least one; none: the end.</summary>
    public List<D1Row> Rows(D1Place after, int rowsMax, int bytesMax) => Known(() =>
    {
        if (after.User is not null) return Rows("typeof(user_id) = 'text' AND (user_id, rowid) > ($user, $row)", after, rowsMax, bytesMax);
        var nobodys = Rows("typeof(user_id) <> 'text' AND rowid > $row", after, rowsMax, bytesMax);
        return nobodys.Count > 0 ? nobodys : Rows(new D1Place("", 0), rowsMax, bytesMax);
    });

    public void Dispose() => connection.Dispose();

    private List<D1Row> Rows(string where, D1Place after, int rowsMax, int bytesMax)
    {
        using var command = Command($"{RowColumns} WHERE {where} ORDER BY user_id, rowid LIMIT $max");
        command.Parameters.AddWithValue("$bytes", Limits.StoredBytesMax);
        command.Parameters.AddWithValue("$user", after.User ?? "");
        command.Parameters.AddWithValue("$row", after.RowId);
        command.Parameters.AddWithValue("$max", rowsMax);
        using var reader = command.ExecuteReader();
        var (rows, bytes) = (new List<D1Row>(), 0L);
        while (bytes < bytesMax && reader.Read())
        {
            rows.Add(Row(reader));
            bytes += rows[^1].Data.Length;
        }

        return rows;
    }

    private static D1Row Row(SqliteDataReader row)
    {
        return new D1Row(row.GetInt64(0), Find(1), Find(2), Find(3), row.IsDBNull(4) ? [] : row.GetFieldValue<byte[]>(4), Length())
        {
            UpdatedAt = Find(6),
            DeletedAt = Find(7),
            IsUserKnown = row.GetBoolean(8),
        };

        string? Find(int column) => row.IsDBNull(column) ? null : row.GetString(column);

        long Length() => row.IsDBNull(5) ? 0 : row.GetInt64(5);
    }

    private long OldSequence()
    {
        var inRows = D1Schema.Columns(connection, "sync_data").Contains("seq")
            ? Number("SELECT coalesce(max(seq), 0) FROM sync_data WHERE typeof(seq) = 'integer'")
            : 0;
        var counted = D1Schema.Columns(connection, "sync_sequence").Contains("current_value")
            ? Number("SELECT coalesce(max(current_value), 0) FROM sync_sequence WHERE typeof(current_value) = 'integer'")
            : 0;
        return Math.Max(inRows, counted);
    }

    private IEnumerable<ImportTable> PassedOver()
    {
        using var command = Command("""
            SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('users', 'sync_data', 'sync_sequence')
                AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_cf\_%' ESCAPE '\' ORDER BY name
            """);
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names.Select(name => new ImportTable(name, Number($"SELECT count(*) FROM \"{name.Replace("\"", "\"\"")}\"")))
            .Where(table => table.Rows > 0);
    }

    private static bool IsDatabase(string path)
    {
        var start = new byte[16];
        using var stream = File.OpenRead(path);
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
            && start.AsSpan().SequenceEqual("SQLite format 3\0"u8);
    }

    private static T Known<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException wrong)
        {
            throw new D1FileException($"The file cannot be read: {wrong.Message}. Export it anew.", wrong);
        }
    }

    private long Number(string sql)
    {
        using var command = Command(sql);
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private string? Text(string sql)
    {
        using var command = Command(sql);
        return command.ExecuteScalar() as string;
    }

    private SqliteCommand Command(string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
