using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>What devices do at random, and how they come to rest, whatever server they speak to.</summary>
internal static class ModelDevices
{
    private static readonly EntityKey[] Entities =
        [new("goal", "g1"), new("goal", "g2"), new("repertoire_item", "a-b"), new("logbook_entry", "e1"), new("annotation", "n1")];

    public static EntityKey Any(Random random) => Entities[random.Next(Entities.Length)];

    public static void Step(ModelDevice device, Random random, long nowMs, bool setRight)
    {
        var entity = Entities[random.Next(Entities.Length)];
        switch (random.Next(10))
        {
            case 0 or 1 or 2: device.Edit(entity, "v" + random.Next(random.Next(2) == 0 ? 3 : 1000), nowMs); break;
            case 3: device.Delete(entity, nowMs); break;
            case 4 or 5: device.Flush(nowMs, random); break;
            case 6 or 7: device.Pull(); break;
            case 8: device.PushAll(nowMs); break;
            case 9 when setRight && random.Next(3) == 0: device.SkewMs = 0; break;
            default: device.Flush(nowMs, random); device.Pull(); break;
        }
    }

    /// <summary>
    /// Each device sends what it has, receives everything, and starts and receives once more: then all are equal, and a further start
    /// changes nothing.
    /// </summary>
    public static void Settle(List<ModelDevice> devices, long nowMs)
    {
        foreach (var device in devices) device.Flush(nowMs, new Random(1));
        foreach (var device in devices) device.Pull();
        foreach (var device in devices) device.PushAll(nowMs + 1);
        foreach (var device in devices) device.Pull();
        foreach (var device in devices) device.AssertEqualsTheStore();
    }
}
