using System.Text.Json;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    private Device Web(string name, long skewMs = 0)
    {
        var device = new Device(Server(), user, name, () => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + skewMs);
        clients.Add(device);
        return device;
    }

    [Fact]
    public async Task Two_tabs_of_an_existing_client_see_each_action_once_and_no_conflict()
    {
        var (one, two) = (Web("one"), Web("two"));
        await one.Start();
        await two.Start();
        for (var i = 0; i < 10; i++) await one.Save($"e{i}", $"note {i}");
        await one.Settle();
        Assert.Empty((await Http().Get("/api/sync/conflicts")).GetProperty("conflicts").EnumerateArray());
        await one.Delete("e3");
        await one.SavePlan("p", "first");
        await one.SavePlan("p", "second");
        await one.Settle();
        var head = (await Http().Get("/api/sync/status")).GetProperty("lastSeq").GetInt64();
        await two.Reach(head);
        Assert.Equal(13, head);
        Assert.Equal(one.Entries.Keys.Order(), two.Entries.Keys.Order());
        Assert.Equal("second", (string)two.Plans["p"]["title"]!);
    }

    [Fact]
    public async Task Offline_work_and_a_page_load_bring_both_to_the_store()
    {
        var (one, two) = (Web("one"), Web("two"));
        await one.Start();
        await one.Save("shared", "from one");
        await one.Settle();
        await two.Start();
        await two.Drop();
        await two.Save("offline", "from two");
        await two.Delete("shared");
        await one.Save("meanwhile", "from one");
        await two.Start();
        await two.Settle();
        await Equal(one, two);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Devices_that_come_and_go_at_random_end_equal_to_the_store(int seed)
    {
        var random = new Random(seed);
        var devices = new[] { Web("one"), Web("two", 15), Web("three", -5_000) };
        foreach (var device in devices) await device.Start();
        for (var step = 0; step < 40; step++)
        {
            var device = devices[random.Next(devices.Length)];
            var id = $"e{random.Next(4)}";
            switch (random.Next(8))
            {
                case 0: await device.Delete(id); break;
                case 1: await device.Drop(); break;
                case 2: await device.Drop(); await device.Reconnect(); break;
                case 3: await device.Drop(); await device.Start(); break;
                default: await device.Save(id, $"{seed}-{step}"); break;
            }
        }

        foreach (var device in devices)
        {
            await device.Drop();
            await device.Start();
            await device.Settle();
        }

        await Equal(devices);
    }

    private async Task Equal(params Device[] devices)
    {
        var pull = await Http().Pull();
        var head = pull.GetProperty("lastSeq").GetInt64();
        var stored = pull.GetProperty("entries").EnumerateArray().ToDictionary(e => Text(e, "id"), e => Text(e, "notes"));
        foreach (var device in devices)
        {
            await device.Reach(head);
            Assert.Empty(device.Faults);
            Assert.Equal(
                JsonSerializer.Serialize(stored.OrderBy(e => e.Key, StringComparer.Ordinal)),
                JsonSerializer.Serialize(
                    device.Entries.ToDictionary(e => e.Key, e => (string)e.Value["notes"]!).OrderBy(e => e.Key, StringComparer.Ordinal)));
        }
    }
}
