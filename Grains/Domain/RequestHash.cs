using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// Whether a request is the one a key was used for, when its bytes differ: two clients may order members differently, or send the time
/// along. A large body is hashed while it is read, over the hashes of its parts, so that it never takes more memory than its largest part.
/// A body with too many parts, or a large part too deep in it, is only equal to its own bytes.
/// </summary>
internal static class RequestHash
{
    /// <summary>A value up to here is read as a whole.</summary>
    public const int WholeBytesMax = 256 * 1024;

    public const int PartsMax = Limits.PushItemsMax + 1_000;

    /// <summary>The envelope, its changes and a list of items.</summary>
    private const int DepthMax = 3;

    // Only at the top: a `timestamp` inside an item is what the item says.
    private static readonly CanonicalForm Envelope = new(
        OmitAtRoot: name => name.SequenceEqual("timestamp"u8) || name.SequenceEqual("requestId"u8));

    /// <summary>32 bytes. A body with no canonical form is only equal to its own bytes.</summary>
    public static byte[] Compute(ReadOnlySpan<byte> body)
    {
        if (body.Length <= WholeBytesMax) return HashWhole(body, Envelope);
        var parts = 0;
        try
        {
            return HashParts(body, depth: 0, ref parts) ?? SHA256.HashData(body);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return SHA256.HashData(body);
        }
    }

    private static byte[] HashWhole(ReadOnlySpan<byte> value, CanonicalForm form)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        var problem = CanonicalJson.Hash(value, Limits.BodyDepthMax, form, hash);
        if (problem is JsonProblem.Malformed or JsonProblem.TooDeep) SHA256.HashData(value, hash);
        return hash;
    }

    /// <summary>Null for a value that is compared by its bytes.</summary>
    private static byte[]? HashParts(ReadOnlySpan<byte> value, int depth, ref int parts)
    {
        var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = Limits.BodyDepthMax });
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.StartArray when depth <= DepthMax => HashItems(value, ref reader, depth, ref parts),
            JsonTokenType.StartObject when depth <= DepthMax => HashMembers(value, ref reader, depth, ref parts),
            _ => null,
        };
    }

    private static byte[]? HashItems(ReadOnlySpan<byte> value, ref Utf8JsonReader reader, int depth, ref int parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("["u8);
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            if (HashNext(value, ref reader, depth, ref parts) is not { } part) return null;
            hash.AppendData(part);
        }

        return hash.GetHashAndReset();
    }

    private static byte[]? HashMembers(ReadOnlySpan<byte> value, ref Utf8JsonReader reader, int depth, ref int parts)
    {
        var members = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (HashNext(value, ref reader, depth, ref parts) is not { } part) return null;
            if (depth == 0 && name is "timestamp" or "requestId") continue;
            if (!members.TryAdd(name, part)) return null;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("{"u8);
        foreach (var (name, part) in members)
        {
            hash.AppendData(SHA256.HashData(Encoding.Unicode.GetBytes(name)));
            hash.AppendData(part);
        }

        return hash.GetHashAndReset();
    }

    /// <summary>Of the value at hand; the reader is then behind it.</summary>
    private static byte[]? HashNext(ReadOnlySpan<byte> value, ref Utf8JsonReader reader, int depth, ref int parts)
    {
        if (++parts > PartsMax) return null;
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        var part = value[start..(int)reader.BytesConsumed];
        return part.Length <= WholeBytesMax ? HashWhole(part, CanonicalForm.Whole) : HashParts(part, depth + 1, ref parts);
    }
}
