using System.Data.Common;

namespace Mirubato.Grains.Storage.Sqlite;

internal sealed class SqliteHeadReader : HeadReader
{
    // GetBytes would look up the table's columns each time.
    protected override ReadOnlySpan<byte> Bytes(DbDataReader row, int column) => row.GetFieldValue<byte[]>(column);
}
