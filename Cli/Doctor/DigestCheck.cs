using System.Buffers.Binary;
using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Mirubato.Cli.Doctor;

/// <summary>
/// The digest of a sample of users, computed again from their rows as docs/protocol.md says, against the one that is kept, in one snapshot.
/// A difference means that rows were changed past the server, and devices would pull from the start again and again.
/// </summary>
internal static class DigestCheck
{
    private const int UsersMax = 5;

    public static async Task<Finding> Run(DbConnection connection)
    {
        await using var snapshot = connection is SqliteConnection file
            ? file.BeginTransaction(deferred: true)
            : await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        var users = await List(
            connection, $"SELECT user_id, digest FROM sync_metadata ORDER BY random() LIMIT {UsersMax}",
            row => (User: row.GetString(0), Digest: row.GetFieldValue<byte[]>(1)));
        var wrong = 0;
        foreach (var (user, digest) in users)
        {
            var computed = await Compute(connection, user);
            if (!computed.SequenceEqual(digest)) wrong++;
        }

        return wrong == 0
            ? Finding.Good("digest", $"The digests of {users.Count} users, chosen at random, are those of their rows.")
            : Finding.Bad(
                "digest", $"The digests of {wrong} of {users.Count} users, chosen at random, are not those of their rows.",
                "Somebody wrote to sync_data past the server. Restore a backup, or tell us how it came about.");
    }

    private static async Task<byte[]> Compute(DbConnection connection, string user)
    {
        var rows = await List(
            connection, "SELECT entity_type, entity_id, version FROM sync_data WHERE user_id = $1 AND deleted_ms IS NULL",
            row => string.Create(CultureInfo.InvariantCulture, $"{row.GetString(0)}\0{row.GetString(1)}\0{row.GetInt64(2)}"), user);
        var sum = UInt128.Zero;
        foreach (var row in rows) sum += Read(SHA256.HashData(Encoding.UTF8.GetBytes(row)));
        var digest = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(digest, sum);
        return digest;
    }

    private static UInt128 Read(byte[] hash) => BinaryPrimitives.ReadUInt128BigEndian(hash);

    private static async Task<List<T>> List<T>(DbConnection connection, string sql, Func<DbDataReader, T> read, string? user = null)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        if (user is not null)
        {
            var parameter = command.CreateParameter();
            parameter.Value = user;
            if (connection is SqliteConnection) parameter.ParameterName = "$1";
            command.Parameters.Add(parameter);
        }

        await using var row = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await row.ReadAsync()) rows.Add(read(row));
        return rows;
    }
}
