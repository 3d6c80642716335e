using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Gateway.Wire;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Silo;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;
using Orleans.TestingHost;

namespace Mirubato.Tests.Import;

/// <summary>Two silos with coordinators and the import grain over one store. A test may hold or fail the commits of each silo.</summary>
internal sealed class ImportCluster : IAsyncDisposable
{
    private const int TriesMax = 100;

    private readonly InProcessTestCluster cluster;

    private ImportCluster(InProcessTestCluster cluster) => this.cluster = cluster;

    public IImportGrain Import => cluster.Client.GetGrain<IImportGrain>(0);

    public ISyncCoordinatorGrain Coordinator(UserId user) => cluster.Client.GetGrain<ISyncCoordinatorGrain>(user.Value);

    public static async Task<ImportCluster> Start(
        IUserStore store, string? postgres, string sqlitePath, FakeClock clock, CapturedLogs logs,
        Func<string, Func<ValueTask<CommitOutcome>>, ValueTask<CommitOutcome>> around)
    {
        var builder = new InProcessTestClusterBuilder(2);
        (builder.Options.ServiceId, builder.Options.ConfigureFileLogging) = ("import", false);
        builder.ConfigureSiloHost((options, host) =>
        {
            host.Logging.AddProvider(logs);
            var watched = new InterruptedStore(store) { Around = commit => around(options.SiloName, commit) };
            host.Services.AddSingleton(new CoordinatorContext(
                watched, new WireAnswers(), new Quotas(), clock, new SyncMetrics(), NullLogger<SyncCoordinatorGrain>.Instance));
            host.Services.AddKeyedSingleton<TimeProvider>(ServerClock.Key, clock);
        });
        builder.ConfigureSilo((_, silo) =>
        {
            silo.UseGrainState(postgres, sqlitePath);
            silo.FindsTheDeadSoon();
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new ImportCluster(cluster);
    }

    /// <summary>As the timers of the silos do, until nothing is left to do: a call into a silo that was killed fails.</summary>
    public async Task<ImportReport> Finish()
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                while (await Import.Tick()) { }
                if ((await Import.List())[0] is { Status: not ImportStatus.Running } ended) return ended;
            }
            catch (Exception) when (tries < TriesMax)
            {
                // Asked again.
            }

            Assert.True(tries < TriesMax, "The import does not end.");
            await Task.Delay(TimeSpan.FromMilliseconds(50 + tries));
        }
    }

    public async Task<List<ImportRefusal>> Refused(ImportReport import)
    {
        var rows = new List<ImportRefusal>();
        for (var page = 1; page <= import.Pages; page++)
            rows.AddRange(await cluster.Client.GetGrain<IImportPageGrain>($"{import.Id}:{page}").Read());
        return rows;
    }

    public Task Kill(string silo) => cluster.KillSiloAsync(cluster.Silos.Single(one => one.Name == silo));

    public async ValueTask DisposeAsync()
    {
        await cluster.StopAllSilosAsync();
        await cluster.DisposeAsync();
    }
}
