using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>Positional parameters: what they are called on the wire is their place.</summary>
internal static class Parameters
{
    /// <summary>Of the types that Npgsql takes their values for.</summary>
    public static void Values(this NpgsqlParameterCollection to, params object?[] values)
    {
        foreach (var value in values) to.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
    }

    public static void Texts(this NpgsqlParameterCollection to, string?[] values) => to.Array(values, NpgsqlDbType.Text);

    public static void Bigints(this NpgsqlParameterCollection to, long[] values) => to.Array(values, NpgsqlDbType.Bigint);

    private static void Array<T>(this NpgsqlParameterCollection to, T[] values, NpgsqlDbType element) =>
        to.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | element });
}
