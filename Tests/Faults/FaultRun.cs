using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mirubato.Tests.EndToEnd;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>Plays a schedule, heals, and looks whether everything that must hold does.</summary>
internal sealed class FaultRun(FaultCluster cluster, FaultWorld world, ITestOutputHelper output)
{
    private const int OneByOneChanges = 6;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private readonly List<FaultDevice> devices = [];
    private readonly List<string> wrong = [];

    public IReadOnlyList<string> Wrong => wrong;

    public IReadOnlyList<FaultDevice> Devices => devices;

    public Task Play(IReadOnlyList<FaultStep> schedule, int count) =>
        Play(schedule, count, () => Task.WhenAll(schedule.Where(step => step.Device < 0).Select(Befall)));

    /// <param name="servers">What happens to the servers meanwhile.</param>
    public async Task Play(IReadOnlyList<FaultStep> schedule, int count, Func<Task> servers)
    {
        for (var i = 0; i < count; i++) devices.Add(new FaultDevice(world, i, $"user{i / FaultDevice.PerUser}", legacy: i % 2 == 1));
        try
        {
            await Task.WhenAll(devices.Select(device => device.Start()));
            world.Begin();
            await Task.WhenAll([servers(), .. devices.Select((device, i) => device.Play(schedule.Where(step => step.Device == i)))]);
            await cluster.Heal();
            output.WriteLine($"played and healed at {world.NowMs} ms");
            await Look("after catching up", isLoaded: false);
            await Task.WhenAll(devices.GroupBy(device => device.User).Select(OneByOne));
            await Task.WhenAll(devices.Where(device => device.IsLegacy).Select(device => device.Play([new FaultStep(0, 0, Act.PageLoad)])));
            await Look("after a page load", isLoaded: true);
        }
        catch (TimeoutException late)
        {
            wrong.Add(late.Message);
        }
        finally
        {
            await Task.WhenAll(devices.Select(device => device.DisposeAsync().AsTask()));
            wrong.AddRange(new FaultChecks(world, await History.Load(cluster.Database)).All());
            output.WriteLine(
                $"over at {world.NowMs} ms: {string.Join(", ", world.Counts.OrderBy(count => count.Key).Select(count => $"{count.Key} {count.Value}"))}");
        }
    }

    /// <summary>
    /// While much happens, an announcement that was lost is made up for by the next. So a few changes more are made, and each is waited for
    /// by all.
    /// </summary>
    private async Task OneByOne(IGrouping<string, FaultDevice> user)
    {
        for (var i = 0; i < OneByOneChanges; i++)
        {
            var writer = user.ElementAt(i % user.Count());
            await writer.Play([new FaultStep(0, 0, Act.Save, Type: i % FaultType.All.Count, ForMs: i, Paths: 1 + (i % 2))]);
            await writer.Flush(Patience);
            var head = (await Pull(user.Key)).GetProperty("lastSeq").GetInt64();
            await Task.WhenAll(user.Select(device => device.Reach(head, Patience)));
        }
    }

    private async Task Befall(FaultStep step)
    {
        await world.At(step.AtMs);
        world.Count(step.Act.ToString());
        await cluster.Befall(step);
    }

    /// <summary>Every device equals the store.</summary>
    private async Task Look(string when, bool isLoaded)
    {
        await Task.WhenAll(devices.Select(device => device.Flush(Patience)));
        foreach (var user in devices.GroupBy(device => device.User))
        {
            var pull = await Pull(user.Key);
            await Task.WhenAll(user.Select(device => device.Reach(pull.GetProperty("lastSeq").GetInt64(), Patience)));
            // What was on its way to a gateway may have been done after that.
            await Task.WhenAll(user.Select(device => device.Flush(Patience)));
            pull = await Pull(user.Key);
            await Task.WhenAll(user.Select(device => device.Reach(pull.GetProperty("lastSeq").GetInt64(), Patience)));
            var store = FaultFrames.Pulled(pull, user.Key).ToDictionary(received => received.Entity);
            if (Digest(store.Values) != pull.GetProperty("digest").GetString())
            {
                wrong.Add($"{when} the digest of {user.Key} is not that of what was pulled");
            }
            foreach (var device in user)
            {
                wrong.AddRange(
                    Differences(device, store, entity => !isLoaded && device.CannotKnow(entity)).Select(
                        difference => $"{when} {device.Name}{(device.IsLegacy ? " (legacy)" : "")} {difference}"));
            }
        }
    }

    private async Task<JsonElement> Pull(string user)
    {
        using var reader = new HttpDevice(cluster.Gateways[0].Url, user, null);
        return await reader.Pull();
    }

    private static IEnumerable<string> Differences(
        FaultDevice device, Dictionary<FaultEntity, ReceivedEntity> store, Predicate<FaultEntity> isExcused)
    {
        var live = device.Live;
        foreach (var (entity, stored) in store)
        {
            if (isExcused(entity)) continue;
            if (!live.TryGetValue(entity, out var mine)) yield return $"lacks {entity} ({stored.Marker}); {device.Story(entity)}";
            else if (mine.Marker != stored.Marker || (!device.IsLegacy && mine.Version != stored.Version))
            {
                yield return $"holds {mine.Marker} version {mine.Version} of {entity}, the store {stored.Marker} version {stored.Version}; "
                    + device.Story(entity);
            }
        }

        foreach (var entity in live.Keys.Where(entity => !store.ContainsKey(entity) && !isExcused(entity)))
        {
            yield return $"still has {entity} ({live[entity].Marker}); {device.Story(entity)}";
        }
    }

    private static string Digest(IEnumerable<ReceivedEntity> live)
    {
        UInt128 sum = 0;
        foreach (var received in live)
        {
            var hash = SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    $"{received.Entity.Type.Name}\0{received.Entity.Id}\0{received.Version.ToString(CultureInfo.InvariantCulture)}"));
            sum = unchecked(sum + System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash));
        }

        return sum.ToString("x32", CultureInfo.InvariantCulture);
    }
}
