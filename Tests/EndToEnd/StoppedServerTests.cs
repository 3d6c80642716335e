using System.Runtime.CompilerServices;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

/// <summary>A program that starts and stops servers, as these tests do, keeps nothing of those that have stopped.</summary>
public sealed class StoppedServerTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-stopped-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_stopped_gateway_leaves_nothing_behind() => await IsCollected(await ServeAndStopGateway());

    [Fact]
    public async Task A_stopped_silo_leaves_nothing_behind() => await IsCollected(await ServeAndStopSilo());

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> ServeAndStopGateway()
    {
        await using var edge = await Edge.Start();
        using var answer = await edge.Get("/api/sync/status");
        Assert.Equal(200, (int)answer.StatusCode);
        return new WeakReference(edge.Services);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference> ServeAndStopSilo()
    {
        await using var server = await LiveServer.Start($"--Storage:SqlitePath={Path.Combine(directory, "sync.db")}");
        using var device = server.Device("ada", "phone");
        await device.Get("/api/sync/status");
        return new WeakReference(server.Services);
    }

    /// <summary>What was under way as the server stopped ends soon after.</summary>
    private static async Task IsCollected(WeakReference services) => Assert.True(await Patiently.Until(
        () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return !services.IsAlive;
        },
        TimeSpan.FromSeconds(30)));
}
