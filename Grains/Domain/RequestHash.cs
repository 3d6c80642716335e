using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// Whether a request is the one a key was used for, when its bytes differ: two clients may order members differently, or send the time
/// along. Two bodies have the same hash if their canonical form is the same without <c>timestamp</c> and <c>requestId</c> at the top.
/// One pass over the tokens, in the memory of the open containers: nothing is sorted or written.
/// </summary>
internal static class RequestHash
{
    // Only at the top: a `timestamp` inside an item is what the item says.
    private static readonly UInt128 Timestamp = ContentHash.Text("timestamp"u8, escaped: false);
    private static readonly UInt128 RequestId = ContentHash.Text("requestId"u8, escaped: false);

    /// <summary>16 bytes. A body with no canonical form, because it is no JSON or too deep, is only equal to its own bytes.</summary>
    public static byte[] Compute(ReadOnlySpan<byte> body)
    {
        var hash = Utf8.IsValid(body) && TryCompute(body, out var content) ? content : ContentHash.Bytes(body);
        return MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in hash)).ToArray();
    }

    private static bool TryCompute(scoped ReadOnlySpan<byte> body, out UInt128 hash)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Limits.BodyDepthMax });
        var content = new ContentHash(stackalloc ContentHash.Container[Limits.BodyDepthMax + 1]);
        try
        {
            while (reader.Read()) Add(ref reader, ref content);
        }
        catch (JsonException)
        {
            hash = default;
            return false;
        }

        hash = content.Value;
        return true;
    }

    private static void Add(ref Utf8JsonReader reader, ref ContentHash content)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                content.Open(reader.TokenType is JsonTokenType.StartArray);
                break;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                content.Close();
                break;
            case JsonTokenType.PropertyName:
                var name = ContentHash.Text(reader.ValueSpan, reader.ValueIsEscaped);
                if (reader.CurrentDepth == 1 && (name == Timestamp || name == RequestId)) reader.Skip();
                else content.Name(name);
                break;
            case JsonTokenType.String:
                content.Add(ContentHash.Text(reader.ValueSpan, reader.ValueIsEscaped));
                break;
            case JsonTokenType.Number:
                content.Add(ContentHash.Number(reader.ValueSpan));
                break;
            default:
                content.Add(ContentHash.Literal(reader.ValueSpan));
                break;
        }
    }
}
