using Orleans.Serialization;
using Orleans.Storage;

namespace Mirubato.Silo;

/// <summary>
/// Where grains keep what is not sync data, such as the progress of a sweep: in Orleans's own ADO.NET storage, by our statements. Orleans's
/// serializer writes the states, so that members may be added and types renamed, as in the contract's records.
/// </summary>
internal static class GrainState
{
    /// <param name="postgres">A connection string; null: SQLite. <c>GrainState.Postgres.sql</c> is applied with the migrations.</param>
    /// <param name="sqlitePath">The main database's file; <see cref="GrainStateFile"/> stands beside it.</param>
    public static ISiloBuilder UseGrainState(this ISiloBuilder silo, string? postgres, string sqlitePath)
    {
        if (postgres is not null) return silo.AddStorage("Npgsql", postgres);
        var file = new GrainStateFile(sqlitePath);
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(file);

        // By this name Orleans loads Microsoft.Data.Sqlite.
        return silo.AddStorage("System.Data.SQLite", file.ConnectionString);
    }

    private static ISiloBuilder AddStorage(this ISiloBuilder silo, string invariant, string connectionString) =>
        silo.AddAdoNetGrainStorageAsDefault(storage => storage.Configure<Serializer>((options, serializer) =>
        {
            (options.Invariant, options.ConnectionString) = (invariant, connectionString);
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));
}
