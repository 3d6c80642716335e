using System.Buffers.Binary;
using System.Security.Cryptography;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// What makes two documents the same: their canonical form without nulls and without bookkeeping (docs/protocol.md, Fingerprint).
/// </summary>
internal static class ContentForm
{
    private static readonly CanonicalForm Any = new(OmitNulls: true, OmitMarked: true);

    /// <summary>Clients make up the ids of an entry's pieces, new ones on each path.</summary>
    private static readonly CanonicalForm Entry = Any with { OmitIdsIn = Members.FindName(Member.Pieces).ToArray() };

    /// <summary>The fingerprint of a normalized document; never <see cref="Fingerprint.None"/>, which is a tombstone's.</summary>
    public static JsonProblem Fingerprint(in JsonTree tree, in DocumentMembers members, EntityType type, out Fingerprint fingerprint)
    {
        for (var member = Member.None + 1; Members.IsBookkeeping(member); member++)
        {
            if (members[member] > 0) tree.OmitMember(members[member] - 1);
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var problem = CanonicalJson.Hash(tree, type == EntityTypes.LogbookEntry ? Entry : Any, hash);
        var bits = BinaryPrimitives.ReadUInt128BigEndian(hash);
        fingerprint = new Fingerprint(bits == UInt128.Zero ? UInt128.One : bits);
        return problem;
    }
}
