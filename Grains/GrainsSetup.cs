using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Grains.Storage.Sqlite;

namespace Mirubato.Grains;

/// <summary>Composes what a silo runs: the store, the coordinators over it, and reads.</summary>
public static class GrainsSetup
{
    /// <summary>
    /// Connections of one process to PostgreSQL, unless the connection string names another number. What waits for one of them waits less
    /// long than it would among more sessions than the machine has cores for.
    /// </summary>
    public static int PostgresConnectionsMax { get; } = Math.Clamp(6 * Environment.ProcessorCount, 16, 40);

    /// <param name="services">
    /// Has the clock under <see cref="ServerClock.Key"/>, an <see cref="IAnswerFormat"/> and a <see cref="ProcessIdentity"/>; and, where
    /// the process serves clients, an <see cref="IGatewayObserver"/>.
    /// </param>
    /// <param name="postgres">A connection string; null: SQLite.</param>
    /// <param name="sqlitePath">The file of the embedded store, made when it is not there.</param>
    /// <param name="quotas">What one user may keep.</param>
    /// <param name="alsoApply">SQL that is run with the migrations of PostgreSQL at each start.</param>
    public static IServiceCollection AddGrains(
        this IServiceCollection services, string? postgres, string sqlitePath, Quotas quotas, string? alsoApply = null)
    {
        if (postgres is not null) AddStore(services, _ => PostgresStore.Open(postgres, new PostgresOptions(AlsoApply: alsoApply)));
        else AddStore(services, _ => SqliteStore.Open(sqlitePath));
        services.AddSingleton<SyncMetrics>();
        services.AddSingleton(provider => BuildContext(provider, quotas));
        services.AddSingleton<IUserReader, UserReader>();
        services.AddPlacementDirector<OwnSilo, OwnSiloDirector>();
        services.AddSingleton<StoreGate>();
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<StoreGate>());
        services.AddHostedService(provider => provider.GetRequiredService<StoreGate>());
        services.AddSingleton(provider =>
            new IdleMemory(provider.GetRequiredKeyedService<TimeProvider>(ServerClock.Key), new ManagedHeap()));
        services.AddHostedService<CoordinatorUpkeep>();
        services.AddHostedService<MaintenanceTimer>();
        services.AddHostedService<ImportTimer>();
        return services;
    }

    private static CoordinatorContext BuildContext(IServiceProvider provider, Quotas quotas)
    {
        var context = new CoordinatorContext(
            provider.GetRequiredService<IUserStore>(),
            provider.GetRequiredService<IAnswerFormat>(),
            quotas,
            provider.GetRequiredKeyedService<TimeProvider>(ServerClock.Key),
            provider.GetRequiredService<SyncMetrics>(),
            provider.GetRequiredService<ILogger<SyncCoordinatorGrain>>())
        {
            Process = provider.GetRequiredService<ProcessIdentity>(),
            LocalGateway = provider.GetService<IGatewayObserver>(),
        };
        context.Metrics.Observe(context.Active);
        return context;
    }

    private static void AddStore<T>(IServiceCollection services, Func<IServiceProvider, T> open)
        where T : class, IUserStore, IStoreUpkeep
    {
        services.AddSingleton(open);
        services.AddSingleton<IUserStore>(provider => provider.GetRequiredService<T>());
        services.AddSingleton<IStoreUpkeep>(provider => provider.GetRequiredService<T>());
    }
}
