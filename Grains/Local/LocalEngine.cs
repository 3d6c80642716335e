using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Grains.Storage.Sqlite;

namespace Mirubato.Grains.Local;

/// <summary>Composes the engine of a single process, or of several over one PostgreSQL.</summary>
public static class LocalEngine
{
    /// <param name="services">Has a <see cref="TimeProvider"/> and an <see cref="IAnswerFormat"/>.</param>
    /// <param name="postgres">A connection string; null: SQLite.</param>
    /// <param name="sqlitePath">The file of the embedded store, made when it is not there.</param>
    /// <param name="quotas">What one user may keep.</param>
    public static IServiceCollection AddLocalEngine(this IServiceCollection services, string? postgres, string sqlitePath, Quotas quotas)
    {
        AddStore(services, postgres, sqlitePath, new PostgresOptions());
        AddCoordinators(services, quotas);
        services.AddSingleton<ISyncCoordinators>(p => p.GetRequiredService<LocalCoordinators>());
        AddPresence(services);
        AddHints(services, postgres);
        return services;
    }

    /// <summary>
    /// What an engine of many processes has in each of them: the store, upkeep, presence, and coordinators of this process. Who is asked
    /// (<see cref="ISyncCoordinators"/>) and how hints travel (<see cref="IHints"/>) is that engine's own, and so is <paramref name="alsoApply"/>,
    /// SQL that is run with PostgreSQL's migrations at each start. What is registered afterwards starts when the store is there.
    /// </summary>
    internal static IServiceCollection AddSharedParts(this IServiceCollection services, string? postgres, string sqlitePath, Quotas quotas, string alsoApply)
    {
        AddStore(services, postgres, sqlitePath, new PostgresOptions(AlsoApply: alsoApply));
        AddCoordinators(services, quotas);
        AddPresence(services);
        services.AddHostedService<StoreFirst>();
        return services;
    }

    private static void AddCoordinators(IServiceCollection services, Quotas quotas)
    {
        services.AddSingleton<SyncMetrics>();
        services.AddSingleton(p => new CoordinatorContext(
            p.GetRequiredService<IUserStore>(),
            p.GetRequiredService<IAnswerFormat>(),
            quotas,
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<SyncMetrics>(),
            p.GetRequiredService<ILogger<SyncCoordinator>>())
        { Hints = p.GetRequiredService<IHints>() });
        services.AddSingleton<LocalCoordinators>();
        services.AddSingleton<Upkeep>();
        services.AddSingleton<IReadiness>(p => p.GetRequiredService<Upkeep>());
        services.AddHostedService(p => p.GetRequiredService<Upkeep>());
    }

    // An IHintListener is the Gateway's to register; without one hints are told to other processes only.
    private static void AddPresence(IServiceCollection services)
    {
        services.AddSingleton(ProcessName.Fresh());
        services.AddSingleton(p => new Hearing(new Lazy<IHintListener?>(p.GetService<IHintListener>), p.GetRequiredService<ILogger<Hearing>>()));
        services.AddSingleton<IConnections, Connections>();
        services.AddHostedService<Heartbeat>();
    }

    private static void AddHints(IServiceCollection services, string? postgres)
    {
        if (postgres is null)
        {
            services.AddSingleton<IHints, OwnHints>();
            return;
        }

        services.AddSingleton(p => ActivatorUtilities.CreateInstance<PostgresHints>(p, postgres));
        services.AddSingleton<IHints>(p => p.GetRequiredService<PostgresHints>());
        services.AddHostedService(p => p.GetRequiredService<PostgresHints>());
    }

    private static void AddStore(IServiceCollection services, string? postgres, string sqlitePath, PostgresOptions options)
    {
        if (postgres is not null) AddStore(services, _ => PostgresStore.Open(postgres, options));
        else AddStore(services, _ => SqliteStore.Open(sqlitePath));
    }

    private static void AddStore<T>(IServiceCollection services, Func<IServiceProvider, T> open)
        where T : class, IUserStore, IStoreUpkeep, IConnectionStore
    {
        services.AddSingleton(open);
        services.AddSingleton<IUserStore>(p => p.GetRequiredService<T>());
        services.AddSingleton<IStoreUpkeep>(p => p.GetRequiredService<T>());
        services.AddSingleton<IConnectionStore>(p => p.GetRequiredService<T>());
    }
}
