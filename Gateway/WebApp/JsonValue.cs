using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.WebApp;

/// <summary>
/// One value as the bytes it is. What is stored may be of any type, so each reading answers null for what is not of its kind.
/// </summary>
internal readonly record struct JsonValue(ReadOnlyMemory<byte> Utf8)
{
    public static readonly JsonReaderOptions Deep = new() { MaxDepth = Limits.BodyDepthMax };

    public static readonly JsonValue Null = new("null"u8.ToArray());
    public static readonly JsonValue EmptyList = new("[]"u8.ToArray());

    /// <summary>Neither absent nor null.</summary>
    public bool IsGiven => !Utf8.IsEmpty && Utf8.Span[0] != (byte)'n';

    public bool IsAbsent => Utf8.IsEmpty;

    public bool IsText => !Utf8.IsEmpty && Utf8.Span[0] == (byte)'"';

    public bool IsNumber => !Utf8.IsEmpty && Utf8.Span[0] is (byte)'-' or (>= (byte)'0' and <= (byte)'9');

    public bool IsList => !Utf8.IsEmpty && Utf8.Span[0] == (byte)'[';

    public bool IsObject => !Utf8.IsEmpty && Utf8.Span[0] == (byte)'{';

    public static JsonValue From(string text) => new(Encoding.UTF8.GetBytes(StoredText.Quoted(text)));

    public static JsonValue From(long number) => new(Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture)));

    public static JsonValue From(double number) => new(JsonSerializer.SerializeToUtf8Bytes(number, WebAppJson.Default.Double));

    public static JsonValue List(IEnumerable<JsonValue> elements)
    {
        var json = new ArrayBufferWriter<byte>();
        json.Write("["u8);
        foreach (var (i, element) in elements.Index())
        {
            if (i > 0) json.Write(","u8);
            json.Write(element.Utf8.Span);
        }

        json.Write("]"u8);
        return new JsonValue(json.WrittenMemory);
    }

    /// <summary>The value <paramref name="reader"/> stands on, which it then has passed.</summary>
    public static JsonValue At(ReadOnlyMemory<byte> json, ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new JsonValue(json[start..(int)reader.BytesConsumed]);
    }

    public string? Text()
    {
        if (!IsText) return null;
        var reader = new Utf8JsonReader(Utf8.Span);
        reader.Read();
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return StoredText.Unescaped(reader.ValueSpan);
        }
    }

    /// <summary>A text that is not blank, without the space around it.</summary>
    public string? Name() => Text()?.Trim() is { Length: > 0 } name ? name : null;

    public double? Number()
    {
        if (!IsNumber) return null;
        var reader = new Utf8JsonReader(Utf8.Span);
        return reader.Read() && reader.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;
    }

    /// <summary>Unix ms of a time in any of the forms of docs/protocol.md, Entities.</summary>
    public long? TimeMs() => IsNumber ? TimeParser.ParseNumber(Utf8.Span) : TimeParser.ParseText(Text());

    /// <summary>For an answer, as stored; null when absent or null.</summary>
    public JsonBytes? Bytes() => IsGiven ? new JsonBytes(Utf8) : null;

    public JsonMembers? Members() => IsObject ? JsonMembers.ParseStored(Utf8) : null;

    /// <summary>The elements of a list; none of anything else.</summary>
    public IReadOnlyList<JsonValue> Elements()
    {
        if (!IsList) return [];
        var found = new List<JsonValue>();
        var reader = new Utf8JsonReader(Utf8.Span, Deep);
        reader.Read();
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray) found.Add(At(Utf8, ref reader));
        return found;
    }
}
