using System.Security.Cryptography;

namespace Mirubato.Grains.Domain;

/// <summary>
/// SHA-256 of short messages. To set the algorithm up costs as much as to hash half a kilobyte, so each thread keeps one.
/// </summary>
internal static class Sha256
{
    [ThreadStatic]
    private static IncrementalHash? kept;

    /// <param name="message">The message.</param>
    /// <param name="end">What follows it.</param>
    /// <param name="hash">32 bytes.</param>
    public static void Hash(ReadOnlySpan<byte> message, ReadOnlySpan<byte> end, Span<byte> hash)
    {
        var algorithm = kept ?? IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        kept = null; // One that fails half way is not used again.
        algorithm.AppendData(message);
        if (!end.IsEmpty) algorithm.AppendData(end);
        algorithm.GetHashAndReset(hash);
        kept = algorithm;
    }
}
