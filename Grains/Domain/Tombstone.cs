using System.Text;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

internal static class Tombstone
{
    public static ReadOnlyMemory<byte> Render(EntityKey entity, long version, long deletedMs) =>
        Encoding.UTF8.GetBytes(
            $"{{\"id\":{Encoding.UTF8.GetString(JsonText.Encode(entity.Id))},"
            + $"\"deletedAt\":\"{IsoTime.Text(deletedMs)}\",\"version\":{version}}}");
}
