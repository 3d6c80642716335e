using System.Collections;
using System.Runtime.InteropServices;

namespace Mirubato.Grains.Domain;

/// <summary>
/// The heads of one user's entities and the sums over them, in less than 200 bytes each. Objects and strings took 300, and the garbage
/// collector had to visit each. Heads and keys lie in arrays; the slots of an open hash table with linear probing say where. Entities are
/// never taken out. Several threads may read it while none changes it.
/// </summary>
internal sealed class HeadTable : IReadOnlyCollection<HeadRow>
{
    // Parts of both stay below the size from which the collector treats an array as large.
    private const int HeadsPerPart = 512;
    private const int BytesPerPart = 1 << 16;
    private const int LeastSlots = 16;

    private readonly List<PackedHead[]> heads = [];
    private readonly List<byte[]> keys = [];
    private readonly Dictionary<string, int> liveByType = [];
    private ulong[] slots = new ulong[LeastSlots]; // The hash of a key, and in the lower half the number of its head plus one; 0 is free.
    private int keyBytes;

    public int Count { get; private set; }

    public Tally Tally { get; private set; }

    /// <summary>Types with live entities.</summary>
    public IReadOnlyDictionary<string, int> LiveByType => liveByType;

    /// <summary>Devices that wrote one of the heads.</summary>
    public Names Devices { get; } = new();

    public EntityHead? Find(EntityKey entity)
    {
        var key = KeyBytes.Encode(entity, stackalloc byte[KeyBytes.Usual]);
        var number = NumberIn(slots[Slot(HashOf(key), key)]);
        return number < 0 ? null : At(number).Unpack(Devices);
    }

    public void Put(EntityKey entity, EntityHead head) => Put(entity, head, Tally.From(entity, head) - Tally.From(entity, Find(entity)));

    /// <summary>Takes in what a draft has changed, and what that adds to the sums.</summary>
    public void Put(EntityChange change) => Put(change.Entity, change.Now, change.Tally - change.TallyBefore);

    private void Put(EntityKey entity, EntityHead head, in Tally added)
    {
        var key = KeyBytes.Encode(entity, stackalloc byte[KeyBytes.Usual]);
        var hash = HashOf(key);
        var slot = Slot(hash, key);
        var number = NumberIn(slots[slot]);
        var packed = PackedHead.From(head, Devices);
        if (number < 0) Append(hash, key, packed, slot);
        else At(number) = packed with { KeyAt = At(number).KeyAt, KeyBytes = At(number).KeyBytes };
        Tally += added;
        CountLive(entity.Type, added.Live);
    }

    /// <summary>Adds the head of an entity that is not here yet, without an object for it.</summary>
    /// <param name="key">As <see cref="KeyBytes"/> encodes it.</param>
    /// <param name="type">Its type.</param>
    /// <param name="head">Packed with <see cref="Devices"/>.</param>
    public void Add(ReadOnlySpan<byte> key, string type, in PackedHead head)
    {
        var hash = HashOf(key);
        var slot = Slot(hash, key);
        Invariant.Holds(slots[slot] == 0, "an entity has one head");
        Append(hash, key, head, slot);
        Tally += Tally.From(key, head);
        if (!head.IsDeleted) CountLive(type, 1);
    }

    /// <summary>In the order in which the entities came.</summary>
    public IEnumerator<HeadRow> GetEnumerator()
    {
        for (var number = 0; number < Count; number++)
        {
            yield return new HeadRow(KeyBytes.Decode(KeyOf(At(number))), At(number).Unpack(Devices));
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private ref PackedHead At(int number) => ref heads[number / HeadsPerPart][number % HeadsPerPart];

    private ReadOnlySpan<byte> KeyOf(in PackedHead head) =>
        keys[head.KeyAt / BytesPerPart].AsSpan(head.KeyAt % BytesPerPart, head.KeyBytes);

    private static uint HashOf(ReadOnlySpan<byte> key)
    {
        var hash = new HashCode();
        hash.AddBytes(key);
        return (uint)hash.ToHashCode();
    }

    private static int NumberIn(ulong slot) => (int)(uint)slot - 1;

    /// <summary>The slot of this key, or the free one where it belongs.</summary>
    private int Slot(uint hash, ReadOnlySpan<byte> key)
    {
        var at = (int)(hash & (slots.Length - 1));
        while (slots[at] is not 0 and var slot && !(slot >> 32 == hash && KeyOf(At(NumberIn(slot))).SequenceEqual(key)))
        {
            at = (at + 1) & (slots.Length - 1);
        }

        return at;
    }

    private void Append(uint hash, ReadOnlySpan<byte> key, in PackedHead head, int slot)
    {
        if (keyBytes % BytesPerPart + key.Length > BytesPerPart) keyBytes += BytesPerPart - keyBytes % BytesPerPart;
        key.CopyTo(Room(keys, keyBytes, key.Length, BytesPerPart));
        Room(heads, Count, 1, HeadsPerPart)[0] = head with { KeyAt = keyBytes, KeyBytes = (ushort)key.Length };
        keyBytes += key.Length;
        Count++;
        slots[slot] = (ulong)hash << 32 | (uint)Count;
        if (Count > slots.Length / 4 * 3) DoubleSlots();
    }

    /// <summary>The next <paramref name="length"/> elements after <paramref name="used"/>; they never cross the end of a part.</summary>
    private static Span<T> Room<T>(List<T[]> parts, int used, int length, int perPart)
    {
        var (part, at) = Math.DivRem(used, perPart);
        if (part == parts.Count) parts.Add([]);
        var array = parts[part];
        if (at + length > array.Length)
        {
            Array.Resize(ref array, Math.Min(perPart, Math.Max(at + length, array.Length * 2)));
            parts[part] = array;
        }

        return array.AsSpan(at, length);
    }

    private void DoubleSlots()
    {
        var before = slots;
        slots = new ulong[before.Length * 2];
        foreach (var slot in before)
        {
            if (slot == 0) continue;
            var at = (int)(slot >> 32) & (slots.Length - 1);
            while (slots[at] != 0) at = (at + 1) & (slots.Length - 1);
            slots[at] = slot;
        }
    }

    private void CountLive(string type, int added)
    {
        if (added == 0) return;
        ref var live = ref CollectionsMarshal.GetValueRefOrAddDefault(liveByType, type, out _);
        live += added;
        if (live == 0) liveByType.Remove(type);
    }
}
