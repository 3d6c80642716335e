using Mirubato.Bench;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Cli;

/// <summary>A backup that was taken while devices write is restored to an empty server, and nobody touches the devices.</summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class RestoreUnderLoadTests(PostgresCluster postgres) : IDisposable
{
    private const int PerUser = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-restore-").FullName;
    private readonly Uri url = new($"http://127.0.0.1:{FreePort.Next()}");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Connected_devices_resynchronize_by_themselves_and_end_equal_to_the_store()
    {
        var (database, empty) = (await postgres.FreshDatabase(), await postgres.FreshDatabase());
        var file = Path.Combine(folder, "backup.dump");
        List<ConnectedDevice> devices = [];
        try
        {
            List<string> before;
            await using (await Start(database))
            {
                foreach (var user in (string[])["ada", "grace"])
                    devices.AddRange(Enumerable.Range(0, PerUser).Select(i => new ConnectedDevice(url, user, $"{user}-{i}")));
                await Written(devices, 10);
                before = [.. devices.SelectMany(device => device.Acknowledged)];
                await CommandLine.Json(["backup", file, .. Settings(database)]);
                await Written(devices, devices.Max(device => device.Acknowledged.Count) + 5);
            }

            await CommandLine.Json(["restore", file, "--yes", .. Settings(empty)]);
            await using var server = await Start(empty);
            await Written(devices, devices.Max(device => device.Acknowledged.Count) + 5);
            await Task.WhenAll(devices.Select(device => device.Finish()));

            foreach (var of in devices.GroupBy(device => device.User)) await AssertEqual(server, [.. of], before);
        }
        finally
        {
            foreach (var device in devices) await device.DisposeAsync();
        }
    }

    /// <summary>One more change reaches all devices; then each holds what the store holds, and what the backup held is there.</summary>
    private static async Task AssertEqual(LiveServer server, List<ConnectedDevice> devices, List<string> before)
    {
        await devices[0].Push("last");
        Assert.True(
            await Patiently.Until(() => devices.TrueForAll(device => device.Held.ContainsKey("last")), Patience),
            $"Not all heard: {string.Join(", ", devices.Select(device => $"{device.Connects} connects, {device.Held.Count} held"))}");
        using var reader = server.Device(devices[0].User, null);
        var store = ConnectedDevice.Versions(await reader.Pull());
        Assert.True(
            await Patiently.Until(() => devices.TrueForAll(device => IsSame(store, device.Held)), Patience),
            $"The store has {store.Count}, devices {string.Join(" and ", devices.Select(device => device.Held.Count))}.");
        Assert.All(devices, device => Assert.Equal(1, device.Resets));
        Assert.All(devices, device => Assert.True(device.Connects >= 2));
        Assert.Empty(before.Where(id => id.StartsWith(devices[0].User, StringComparison.Ordinal)).Except(store.Keys));
        Assert.All(store.Values, version => Assert.True(version > 0));
        Assert.Contains(store.Values, version => version > 1_000_000_000);
    }

    private static bool IsSame(Dictionary<string, long> one, Dictionary<string, long> other) =>
        one.Count == other.Count && !one.Except(other).Any();

    private static async Task Written(List<ConnectedDevice> devices, int each) =>
        Assert.True(await Patiently.Until(() => devices.TrueForAll(device => device.Acknowledged.Count >= each), Patience));

    private Task<LiveServer> Start(string database) => LiveServer.Start($"--Storage:Postgres={database}", $"--urls={url}");

    private static string[] Settings(string database) =>
        ["--set", $"Storage:Postgres={database}", "--set", $"Auth:Secret={Edge.Secret}", "--set", "environment=Test"];
}
