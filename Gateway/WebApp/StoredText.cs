using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Mirubato.Gateway.WebApp;

/// <summary>
/// Text as JSON can hold it: a document may have half of an emoji, which is no Unicode text. The serializer fails on it, or puts U+FFFD
/// in its place; here it is read and written as it is stored.
/// </summary>
internal sealed partial class StoredText : JsonConverter<string>
{
    /// <summary>The text of a JSON string without its quotes.</summary>
    public static string Unescaped(ReadOnlySpan<byte> json) =>
        Escape().Replace(Encoding.UTF8.GetString(json), escape => escape.Value[1] switch
    {
        'u' => ((char)int.Parse(escape.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
        'b' => "\b",
        'f' => "\f",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        var itself => itself.ToString(),
    });

    public static string Quoted(string text)
    {
        var json = new StringBuilder("\"");
        var rest = text.AsSpan();
        for (int half; (half = HalfIn(rest)) >= 0; rest = rest[(half + 1)..])
            json.Append(Encoded(rest[..half])).Append("\\u").Append(((int)rest[half]).ToString("x4", CultureInfo.InvariantCulture));
        return json.Append(Encoded(rest)).Append('"').ToString();
    }

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
    {
        if (HalfIn(value) < 0) writer.WriteStringValue(value);
        else writer.WriteRawValue(Quoted(value), skipInputValidation: true);
    }

    private static string Encoded(ReadOnlySpan<char> text) => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text.ToString());

    /// <summary>Where the first surrogate without its other half is; -1 when there is none.</summary>
    private static int HalfIn(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return i;
            i++;
        }

        return -1;
    }

    [GeneratedRegex(@"\\(u[0-9A-Fa-f]{4}|.)", RegexOptions.Singleline)]
    private static partial Regex Escape();
}
