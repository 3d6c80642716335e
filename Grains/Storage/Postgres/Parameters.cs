using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>Positional parameters, typed and unboxed: what they are called on the wire is their place.</summary>
internal static class Parameters
{
    public static void Text(this NpgsqlParameterCollection to, string? value) => to.One(value, NpgsqlDbType.Text);

    public static void Bigint(this NpgsqlParameterCollection to, long value) => to.One(value, NpgsqlDbType.Bigint);

    public static void OptionalBigint(this NpgsqlParameterCollection to, long? value) =>
        to.Add(new NpgsqlParameter { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });

    public static void Integer(this NpgsqlParameterCollection to, int value) => to.One(value, NpgsqlDbType.Integer);

    public static void Smallint(this NpgsqlParameterCollection to, short value) => to.One(value, NpgsqlDbType.Smallint);

    public static void Uuid(this NpgsqlParameterCollection to, Guid value) => to.One(value, NpgsqlDbType.Uuid);

    public static void Bytea(this NpgsqlParameterCollection to, byte[] value) => to.One(value, NpgsqlDbType.Bytea);

    public static void Texts(this NpgsqlParameterCollection to, string?[] values) => to.Array(values, NpgsqlDbType.Text);

    public static void Bigints(this NpgsqlParameterCollection to, long[] values) => to.Array(values, NpgsqlDbType.Bigint);

    public static void Array<T>(this NpgsqlParameterCollection to, T[] values, NpgsqlDbType element) =>
        to.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | element });

    private static void One<T>(this NpgsqlParameterCollection to, T value, NpgsqlDbType type) =>
        to.Add(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });
}
