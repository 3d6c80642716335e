using System.Security.Cryptography;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>Whether a request is the one a key was used for, when its bytes differ: two clients may order members differently, or send the time along.</summary>
internal static class RequestHash
{
    // Only at the top: a `timestamp` inside an item is what the item says.
    private static readonly CanonicalForm Form = new(OmitAtRoot: name => name.SequenceEqual("timestamp"u8) || name.SequenceEqual("requestId"u8));

    /// <summary>32 bytes. A body with no canonical form is only equal to its own bytes.</summary>
    public static byte[] Of(ReadOnlySpan<byte> body)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        var problem = CanonicalJson.Hash(body, Limits.BodyDepthMax, Form, hash);
        if (problem is JsonProblem.Malformed or JsonProblem.TooDeep) SHA256.HashData(body, hash);
        return hash;
    }
}
