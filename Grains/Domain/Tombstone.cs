using System.Text;
using Mirubato.Grains.Domain.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Domain;

/// <summary>What is told of an entity that is gone.</summary>
internal static class Tombstone
{
    public static ReadOnlyMemory<byte> Render(EntityKey entity, long version, long deletedMs) =>
        Encoding.UTF8.GetBytes(
            $"{{\"id\":{Encoding.UTF8.GetString(JsonText.Encode(entity.Id))},\"deletedAt\":\"{IsoTime.Text(deletedMs)}\",\"version\":{version}}}");
}
