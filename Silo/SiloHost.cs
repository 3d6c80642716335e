using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration.Memory;
using Mirubato.Gateway;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Socket;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage.Postgres;
using Npgsql;
using Orleans.Configuration;
using Orleans.Dashboard;
using WireAnswers = Mirubato.Gateway.Wire.WireAnswers;

namespace Mirubato.Silo;

/// <summary>
/// Composes the Gateway with Orleans. Parts start in the order in which they are registered and stop the other way round: schema and member
/// list, silo or client, and last the listener for clients. So a process that stops closes its sockets first, then finishes its
/// requests, then hands its activations over.
/// </summary>
internal static class SiloHost
{
    private const string DashboardPath = OperatorPages.Dashboard + "/orleans";
    private const int PortTriesMax = 5;

    /// <summary>
    /// Where activations of other silos are: Orleans's own figure is a million, for which it takes 16 MB at start, and 200 MB in time.
    /// </summary>
    private const int DirectoryCacheMax = 50_000;

    /// <summary>
    /// Threads beside one for each core: what computes for long (a large body, a rename of thousands of entries) then shares the cores with
    /// short requests, as the system divides them. The framework would add a thread only after half a second.
    /// </summary>
    private const int SpareThreads = 2;

    private static readonly TimeSpan StartAgainAfter = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Runs until it is told to stop. A silo that chose its port by itself chooses again when another process was faster. A silo that loses
    /// the store while it starts begins again: Orleans, unlike <see cref="StoreGate"/>, does not wait for a store.
    /// </summary>
    public static async Task<int> Run(string[] args)
    {
        ThreadPool.GetMinThreads(out var workers, out var others);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + SpareThreads), others);
        for (var attempt = 1; ; attempt++)
        {
            ClusterOptions? options = null;
            var firstWrite = Task.CompletedTask;
            var hasStarted = false;
            try
            {
                return await GatewayHost.Run(
                    args, Configure, ClusterOptions.Errors, () => hasStarted = true, EndFailedStart);
            }
            catch (Exception failure) when (!hasStarted && IsStoreLost(failure))
            {
                await Console.Error.WriteLineAsync(
                    $"The silo lost PostgreSQL while it started, and starts again in {StartAgainAfter.TotalSeconds} s.");
                await Task.Delay(StartAgainAfter);
            }
            catch (Exception failure) when (IsPortTaken(failure))
            {
                if (options?.Postgres is null && attempt < PortTriesMax) continue;
                await Console.Error.WriteLineAsync(
                    $"Silo:Port {options?.Port} or Silo:GatewayPort {options?.GatewayPort} is taken on {options?.Address}. Stop what "
                    + $"listens there, or choose others: --Silo:Port=11112 --Silo:GatewayPort=30001");
                return 1;
            }
            finally
            {
                await Task.WhenAny(firstWrite, Task.Delay(FirstRequest.Patience));
            }

            void Configure(WebApplicationBuilder builder)
            {
                options = ClusterOptions.Read(builder.Configuration);
                if (options.Mode is not SiloMode.Gateway) firstWrite = StartFirstWrite(builder);
                Register(builder, options);
            }
        }
    }

    public static void Compose(WebApplicationBuilder builder) => Register(builder, ClusterOptions.Read(builder.Configuration));

    /// <summary>
    /// Ends what has started of a silo that failed to start. Orleans leaves it as it is when it is disposed of: its directory would then
    /// ask for news of the members without a pause, on every core, and all of the silo would stay in memory beside the next one. It is
    /// disposed of first, because a silo that is not running cannot be disposed of once its lifecycle has ended. Nobody waits for that end:
    /// the silo first tells the other members that it is gone, in the store that it may have lost.
    /// </summary>
    public static async Task EndFailedStart(WebApplication app)
    {
        var silo = app.Services.GetService<ISiloLifecycleSubject>();
        await app.DisposeAsync();
        if (silo is not null) Task.Run(() => silo.OnStop(new CancellationToken(canceled: true))).Ignore();
    }

    /// <summary>The first write needs nothing of the host, so it is made while the host is built, which one core does.</summary>
    private static Task StartFirstWrite(WebApplicationBuilder builder)
    {
        var firstWrite = Task.Run(new FirstWrite(new WireAnswers(), builder.Options().Quotas).Run);
        builder.Services.AddSingleton(new FirstUse(firstWrite));
        return firstWrite;
    }

    private static void Register(WebApplicationBuilder builder, ClusterOptions options)
    {
        var dashboard = builder.Options().Admin.IsOn;
        AddEngine(builder, options, dashboard);
        builder.Configuration.Sources.Insert(1, new MemoryConfigurationSource { InitialData = LogLevels(options) });
        builder.Services.AddSingleton(new HostEndpoints(options.Mode is not SiloMode.Silo, app =>
        {
            // What a start leaves behind an idle server would keep for hours.
            app.Lifetime.ApplicationStarted.Register(
                () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true));
            if (options.IsExposed) app.Logger.SiloPortsExposed(options.Address);
            if (dashboard) app.MapOrleansDashboard(DashboardPath).RequireAuthorization(AdminAccess.Policy);
        }));
    }

    /// <summary>
    /// Unless the operator sets others: Polly would write two lines for each activation that Orleans places. Of a cluster one wants to read
    /// who joins and leaves, and whose certificate was refused; a silo that is alone has neither.
    /// </summary>
    private static Dictionary<string, string?> LogLevels(ClusterOptions options) => new()
    {
        ["Logging:LogLevel:Polly"] = "None",
        ["Logging:LogLevel:Orleans.Runtime.MembershipService"] = options.Postgres is null ? "None" : "Information",
        ["Logging:LogLevel:Orleans.Connections.Security"] = options.Postgres is null ? "None" : "Warning",
    };

    /// <summary>
    /// Orleans, and what stands behind the Gateway: the store and the grains, or in a process without a silo the grains elsewhere.
    /// </summary>
    private static void AddEngine(WebApplicationBuilder builder, ClusterOptions options, bool dashboard)
    {
        var services = builder.Services;
        services.AddSingleton(provider => ProcessIdentity.Fresh(provider.GetService<ILocalSiloDetails>()?.SiloAddress.ToParsableString()));
        if (options.Mode is SiloMode.Gateway)
        {
            services.AddSingleton<RemoteUserReader>();
            services.AddSingleton<IUserReader>(provider => provider.GetRequiredService<RemoteUserReader>());
            services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<RemoteUserReader>());
            builder.UseOrleansClient(client => Join(client, options, dashboard));
        }
        else
        {
            var server = builder.Options();
            services.AddGrains(
                options.Postgres, server.Storage.SqlitePath, server.Quotas,
                EmbeddedSql.Read("Membership.sql") + EmbeddedSql.Read("GrainState.Postgres.sql"));
            builder.UseOrleans(silo =>
            {
                Join(silo, options, dashboard);
                silo.UseGrainState(options.Postgres is null ? null : MemberList.Connection(options.Postgres), server.Storage.SqlitePath);
            });
            services.AddHostedService<DeadSilos>();
        }

        // After the store and the silo, which it asks for its key.
        services.AddHostedService(provider => provider.GetRequiredService<SocketTickets>());
    }

    private static void Join(ISiloBuilder silo, ClusterOptions options, bool dashboard)
    {
        if (options.Postgres is null)
            silo.UseLocalhostClustering(
                FreePort(), gatewayPort: 0, serviceId: options.ServiceId,
                clusterId: options.ClusterId).UseTls(ClusterTls.Alone().Configure);
        else MemberList.Use(silo, options);
        silo.Configure<GrainCollectionOptions>(collection =>
        {
            collection.CollectionAge = options.IdleFor;
            // It would end activations that have connections.
            collection.EnableActivationSheddingOnMemoryPressure = false;
        });
        silo.Configure<GrainDirectoryOptions>(directory => directory.CacheSize = DirectoryCacheMax);
        if (dashboard) silo.AddDashboard(pages => pages.HideTrace = true);
    }

    private static void Join(IClientBuilder client, ClusterOptions options, bool dashboard)
    {
        MemberList.Use(client, options);
        if (dashboard) client.AddDashboard(pages => pages.HideTrace = true);
    }

    /// <summary>Orleans refuses port 0, so the system is asked for one beforehand.</summary>
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool IsPortTaken(Exception failure) =>
        Causes(failure).Any(cause => cause is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse });

    private static bool IsStoreLost(Exception failure) =>
        Causes(failure).Any(cause => cause is NpgsqlException && PostgresFaults.IsFault(cause));

    private static IEnumerable<Exception> Causes(Exception failure)
    {
        IEnumerable<Exception> inner =
            failure is AggregateException several ? several.InnerExceptions : failure.InnerException is { } one ? [one] : [];
        return inner.SelectMany(Causes).Prepend(failure);
    }
}
