using System.Buffers;

namespace Mirubato.Gateway.Wire;

/// <summary>Live entities in the member form of a pull, from documents that the store has joined already.</summary>
internal static class JoinedSections
{
    /// <summary>As <see cref="EntitySections.Documents"/> does, which has them one by one.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Documents(IBufferWriter<byte> to, IReadOnlyList<TypeDocuments> types)
    {
        foreach (var type in EntityTypes.Named)
        {
            EntitySections.Open(to, type);
            var found = types.FirstOrDefault(documents => documents.Type == type.Name);
            foreach (var chunk in found?.Chunks ?? []) yield return chunk;
            EntitySections.Close(to, type, empty: found is null);
        }

        to.Write("\"other\":{"u8);
        var first = true;
        foreach (var other in types.Where(documents => !EntityTypes.IsNamed(documents.Type)).OrderBy(o => o.Type, StringComparer.Ordinal))
        {
            EntitySections.Comma(to, ref first);
            EntitySections.Quoted(to, other.Type);
            to.Write(":["u8);
            foreach (var chunk in other.Chunks) yield return chunk;
            to.Write("]"u8);
        }

        to.Write("}"u8);
    }
}
