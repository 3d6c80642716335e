using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Mirubato.Silo;
using Mirubato.Tests.Gateway;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Mirubato.Tests.Silo;

/// <summary>
/// What a grain may expect of its state, by Orleans's own storage over our statements. A second cluster over the same database stands for
/// the second activation that Orleans may make.
/// </summary>
public abstract class GrainStateContract : IAsyncLifetime, IDisposable
{
    private readonly CapturedLogs logs = new();
    private readonly List<InProcessTestCluster> clusters = [];

    public abstract Task InitializeAsync();

    public virtual async Task DisposeAsync()
    {
        foreach (var cluster in clusters) await cluster.DisposeAsync();
    }

    public void Dispose()
    {
        logs.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A connection string, or null for SQLite.</summary>
    private protected abstract string? Postgres { get; }

    private protected abstract string SqlitePath { get; }

    [Fact]
    public async Task A_state_outlives_its_activation_and_its_process_until_it_is_cleared()
    {
        var cluster = await Start();
        var note = Note(cluster);
        Assert.Null(await note.Read());
        await note.Write("one");
        await note.Write("two");
        await cluster.DeactivateAsync(note);
        Assert.Equal("two", await note.Read());
        await Stop(cluster);

        cluster = await Start();
        note = Note(cluster);
        Assert.Equal("two", await note.Read());
        await note.Clear();
        Assert.Null(await note.Read());
        await cluster.DeactivateAsync(note);
        Assert.Null(await note.Read());
        await note.Write("three");
        await Stop(cluster);

        Assert.Empty(Troubles());
        Assert.Equal("three", await Note(await Start()).Read());
    }

    [Fact]
    public async Task An_activation_that_read_before_another_wrote_cannot_write()
    {
        var (one, other) = (Note(await Start()), Note(await Start()));
        await one.Write("one");
        Assert.Equal("one", await other.Read());
        await other.Write("other");

        await Assert.ThrowsAsync<InconsistentStateException>(() => one.Write("late"));

        // Orleans has ended that activation, and the next one reads what is stored.
        Assert.Equal("other", await one.Read());
        await one.Clear();
        await Assert.ThrowsAsync<InconsistentStateException>(() => other.Clear());
        await Assert.ThrowsAsync<InconsistentStateException>(() => StaleWrite(other, one));
        Assert.Equal("again", await one.Read());
    }

    [Fact]
    public async Task Of_two_first_writes_at_once_one_succeeds()
    {
        var (one, other) = (Note(await Start()), Note(await Start()));
        Assert.Null(await one.Read());
        Assert.Null(await other.Read());

        var writes = new[] { one.Write("one"), other.Write("other") };
        await Task.WhenAll(writes).ContinueWith(_ => { }, TaskScheduler.Default);

        var lost = Assert.Single(writes, write => write.IsFaulted);
        Assert.IsType<InconsistentStateException>(lost.Exception!.InnerException);
        Assert.Equal(lost == writes[0] ? "other" : "one", await one.Read());
        Assert.Equal(await one.Read(), await other.Read());
    }

    private static async Task StaleWrite(INoteGrain reader, INoteGrain writer)
    {
        Assert.Null(await reader.Read());
        await writer.Write("again");
        await reader.Write("late");
    }

    private static INoteGrain Note(InProcessTestCluster cluster) => cluster.Client.GetGrain<INoteGrain>("a note");

    private async Task<InProcessTestCluster> Start()
    {
        var builder = new InProcessTestClusterBuilder(1);
        (builder.Options.ServiceId, builder.Options.ConfigureFileLogging) = ("grain-state", false);
        builder.ConfigureSiloHost((_, host) => host.Logging.AddProvider(logs));
        builder.ConfigureSilo((_, silo) => silo.UseGrainState(Postgres, SqlitePath));
        var cluster = builder.Build();
        clusters.Add(cluster);
        await cluster.DeployAsync();
        return cluster;
    }

    private async Task Stop(InProcessTestCluster cluster)
    {
        clusters.Remove(cluster);
        await cluster.StopAllSilosAsync();
        await cluster.DisposeAsync();
    }

    /// <summary>
    /// What was logged as wrong, but for what Orleans says of the machine: the kind of its garbage collector, and pauses.
    /// </summary>
    private IEnumerable<string> Troubles() =>
        logs.Lines.Where(line => Regex.IsMatch(
            line, @"^(?!Orleans.Runtime.(Silo|Watchdog|MembershipService.LocalSiloHealthMonitor) )\S+ (Warning|Error|Critical) "));
}
