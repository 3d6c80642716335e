using System.Data.Common;

namespace Mirubato.Grains.Storage.Postgres;

internal sealed class PostgresHeadReader : HeadReader
{
    private byte[] room = new byte[256];

    protected override ReadOnlySpan<byte> Bytes(DbDataReader row, int column)
    {
        while (true)
        {
            var length = (int)row.GetBytes(column, 0, room, 0, room.Length);
            if (length < room.Length) return room.AsSpan(0, length);
            room = new byte[room.Length * 2]; // There may be more than it takes.
        }
    }
}
