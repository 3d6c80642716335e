using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mirubato.Gateway.Wire;

/// <summary>JSON that is ready: stored documents go out as the bytes they were stored as.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct JsonBytes(ReadOnlyMemory<byte> Utf8)
{
    /// <summary>Null when empty, so that the member is left out.</summary>
    public static JsonBytes? OrNull(ReadOnlyMemory<byte> utf8) => utf8.IsEmpty ? null : new JsonBytes(utf8);

    internal sealed class Converter : JsonConverter<JsonBytes>
    {
        public override JsonBytes Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Documents are sliced from the body, never read through the serializer.");

        public override void Write(Utf8JsonWriter writer, JsonBytes value, JsonSerializerOptions options)
        {
            if (value.Utf8.IsEmpty) writer.WriteNullValue();
            else writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
        }
    }
}
