using System.Text;

namespace Mirubato.Grains.Domain;

/// <summary>The key of an entity in UTF-8: the type, a zero byte, the id. Neither holds a control character.</summary>
internal static class KeyBytes
{
    /// <summary>Room that is enough for most keys.</summary>
    public const int Usual = 512;

    /// <param name="room">Taken if it is enough for the key.</param>
    public static ReadOnlySpan<byte> Encode(EntityKey entity, Span<byte> room)
    {
        var most = Encoding.UTF8.GetMaxByteCount(entity.Type.Length + entity.Id.Length + 1);
        if (most > room.Length) room = new byte[most];
        var type = Encoding.UTF8.GetBytes(entity.Type, room);
        room[type] = 0;
        return room[..(type + 1 + Encoding.UTF8.GetBytes(entity.Id, room[(type + 1)..]))];
    }

    public static EntityKey Decode(ReadOnlySpan<byte> key)
    {
        var type = key.IndexOf((byte)0);
        return new EntityKey(Encoding.UTF8.GetString(key[..type]), Encoding.UTF8.GetString(key[(type + 1)..]));
    }
}
