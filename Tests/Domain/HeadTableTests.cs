using System.Runtime.CompilerServices;
using System.Text;
using FsCheck;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Domain;

public sealed class HeadTableTests
{
    [SeededProperty(300)]
    public void It_holds_what_a_dictionary_of_the_same_heads_holds(DoNotSize<int> seed)
    {
        var random = new Random(seed.Item);
        var (table, model) = (new HeadTable(), new Dictionary<EntityKey, EntityHead>());
        var entities = random.Next(1, 3_000);
        for (var i = 0; i < entities; i++)
        {
            var (entity, head) = (Entity(random, entities), Head(random));
            table.Put(entity, head);
            model[entity] = head;
            var other = Entity(random, entities);
            AssertSame(model.GetValueOrDefault(other), table.Find(other));
        }

        Assert.Equal(model.Count, table.Count);
        Assert.Equal(model.Keys.ToHashSet(), table.Select(row => row.Entity).ToHashSet());
        Assert.All(table, row => AssertSame(model[row.Entity], row.Head));
        Assert.Equal(Sum(model), table.Tally);
        Assert.Equal(model.Where(row => !row.Value.IsDeleted).CountBy(row => row.Key.Type).ToDictionary(), table.LiveByType);
    }

    [SeededProperty(100)]
    public void Heads_that_are_added_packed_are_those_that_are_put(DoNotSize<int> seed)
    {
        var random = new Random(seed.Item);
        var (put, added) = (new HeadTable(), new HeadTable());
        for (var i = random.Next(2_000); i > 0; i--)
        {
            var (entity, head) = (Entity(random, 100_000), Head(random));
            if (put.Find(entity) is not null) continue;
            put.Put(entity, head);
            added.Add(KeyBytes.Encode(entity, []), entity.Type, PackedHead.From(head, added.Devices));
            AssertSame(head, added.Find(entity));
        }

        Assert.Equal((put.Tally, put.Count), (added.Tally, added.Count));
        Assert.Equal(put.LiveByType, added.LiveByType);
    }

    [Fact]
    public void A_second_head_of_one_entity_is_not_added()
    {
        var (table, head) = (new HeadTable(), Head(new Random(1)));
        var key = KeyBytes.Encode(new EntityKey("goal", "g"), []).ToArray();
        table.Add(key, "goal", PackedHead.From(head, table.Devices));
        Assert.Throws<InvariantBrokenException>(() => table.Add(key, "goal", PackedHead.From(head, table.Devices)));
    }

    [Fact]
    public void Names_have_one_number_each_however_they_are_asked_for()
    {
        var names = new Names();
        string[] texts = ["", "a", "", "b", "a", "音", "b", "音", ""];
        foreach (var text in texts)
        {
            Assert.Equal(text, names[names.NumberOf(Encoding.UTF8.GetBytes(text))]);
            Assert.Equal(names.NumberOf(text), names.NumberOf(Encoding.UTF8.GetBytes(text)));
        }

        Assert.Equal([0, 1, 2, 3], texts.Distinct().Select(names.NumberOf));
    }

    /// <summary>Of so many keys some ten pairs have one hash of 32 bits.</summary>
    [Fact]
    public void Keys_with_one_hash_are_two_entities()
    {
        var (table, head) = (new HeadTable(), Head(new Random(1)) with { DeletedMs = 1 });
        for (var i = 0; i < 300_000; i++) table.Put(new EntityKey("goal", $"{i}"), head);
        Assert.Equal(300_000, table.Count);
    }

    /// <summary>With an id of 36 characters, as clients make them, a type of 7, and at worst 3/8 of the slots taken.</summary>
    [Fact]
    public void A_head_takes_at_most_200_bytes() =>
        Assert.InRange(Unsafe.SizeOf<PackedHead>() + "entries".Length + 1 + 36 + sizeof(ulong) * 8.0 / 3, 0, 200);

    private static Tally Sum(Dictionary<EntityKey, EntityHead> model) =>
        model.Aggregate(default(Tally), (sum, row) => sum + Tally.From(row.Key, row.Value));

    private static void AssertSame(EntityHead? expected, EntityHead? found)
    {
        Assert.Equal(expected?.Echoes, found?.Echoes);
        Assert.Equal(expected is null ? null : expected with { Echoes = [] }, found is null ? null : found with { Echoes = [] });
    }

    /// <summary>Long ids too, so that keys reach the end of a part at every distance.</summary>
    private static EntityKey Entity(Random random, int entities)
    {
        var number = random.Next(entities);
        var type = (number % 3) switch { 0 => "goal", 1 => "practice_session", _ => "an_unknown_type" };
        return new EntityKey(type, $"{number}-" + new string(number % 2 == 0 ? 'x' : '音', number % 4 == 0 ? number * 31 % 250 : 0));
    }

    private static EntityHead Head(Random random)
    {
        var (isDeleted, device) = (random.Next(4) == 0, Device(random));
        return new EntityHead
        {
            Seq = new Revision(random.NextInt64()),
            Version = random.NextInt64(),
            EffectiveMs = random.NextInt64(),
            ClientMs = random.NextInt64(),
            PublishedMs = random.NextInt64(),
            PreviousPublishedMs = random.NextInt64(),
            MergedIn = random.Next(8) == 0 ? new ChangeTime(random.NextInt64(), random.NextInt64(), Device(random)) : null,
            NamedVersion = random.Next(3) switch { 0 => null, 1 => 0, _ => random.NextInt64() },
            Device = device,
            Fingerprint = isDeleted ? Fingerprint.None : Print(random),
            PreviousFingerprint = random.Next(3) == 0 ? Fingerprint.None : Print(random),
            DeletedMs = isDeleted ? random.Next(2) * random.NextInt64() : null,
            Bytes = random.Next(),
            Echoes = random.Next(6) == 0 ? [new Echo(random.NextInt64(), random.NextInt64(), device, random.Next(2) == 0)] : [],
        };
    }

    private static DeviceId? Device(Random random) => random.Next(4) == 0 ? null : new DeviceId($"device {random.Next(40)}");

    private static Fingerprint Print(Random random) => new(new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64()));
}
