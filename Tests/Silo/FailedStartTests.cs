using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mirubato.Gateway;
using Mirubato.Silo;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Silo;

/// <summary>A silo that loses the store while it starts is followed by another one in the same process.</summary>
public sealed class FailedStartTests
{
    [Fact]
    public async Task Nothing_runs_on_of_a_silo_that_failed_to_start()
    {
        var folder = Directory.CreateTempSubdirectory("mirubato-failed-start-");
        var part = await Start(folder.FullName);
        Assert.True(await Patiently.Until(() => IsGone(part), TimeSpan.FromSeconds(60)), "Something holds on to the silo.");
        folder.Delete(recursive: true);
    }

    private static bool IsGone(WeakReference part)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return !part.IsAlive;
    }

    /// <summary>Returns a part of the silo, which nothing but the silo holds on to.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> Start(string folder)
    {
        string[] args =
        [
            "--urls=http://127.0.0.1:0", "--environment=Test", $"--Auth:Secret={Edge.Secret}",
            $"--Storage:SqlitePath={Path.Combine(folder, "sync.db")}",
        ];
        WeakReference? part = null;
        await Assert.ThrowsAsync<FailedStart>(() => GatewayHost.Run(
            args, builder => part = Compose(builder), onFailed: SiloHost.EndFailedStart));
        return part!;
    }

    private static WeakReference Compose(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        SiloHost.Compose(builder);
        var part = new LastPart();
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(part);
        return new WeakReference(part);
    }

    /// <summary>Fails when the silo has all its parts but is not one of the members yet.</summary>
    private sealed class LastPart : ILifecycleParticipant<ISiloLifecycle>
    {
        public void Participate(ISiloLifecycle lifecycle) =>
            lifecycle.Subscribe(nameof(LastPart), ServiceLifecycleStage.BecomeActive - 1, _ => throw new FailedStart());
    }

    private sealed class FailedStart : Exception;
}
