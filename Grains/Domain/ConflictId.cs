using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Mirubato.Grains.Domain;

/// <summary>The id of a conflict follows from what it is, so that the same loser, sent again, is the same row.</summary>
internal static class ConflictId
{
    public const string Stale = "stale";
    public const string Deleted = "deleted";
    public const string Replaced = "replaced";

    /// <summary>
    /// 32 hex digits of SHA-256(type, 0, id, 0, reason, 0, members, fingerprint). Each of the members that lost is followed by a 0; a whole
    /// document has none.
    /// </summary>
    public static string From(EntityKey entity, Fingerprint fingerprint, string reason, IReadOnlyList<string>? members = null)
    {
        var lost = string.Concat((members ?? []).Select(member => $"{member}\0"));
        var text = Encoding.UTF8.GetBytes($"{entity.Type}\0{entity.Id}\0{reason}\0{lost}");
        var bytes = new byte[text.Length + 16];
        text.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(text.Length), fingerprint.Bits);
        return Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16));
    }
}
