using System.Buffers;
using System.Text;
using System.Text.Json;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.WebApp;

/// <summary>
/// The members of one JSON object, by name and in their order, each as the bytes it was sent or stored as: what a partial update does not
/// mention comes out as it went in.
/// </summary>
internal sealed class JsonMembers
{
    private readonly OrderedDictionary<string, Member> members = [];

    public IEnumerable<KeyValuePair<string, JsonValue>> All =>
        members.Select(member => KeyValuePair.Create(member.Key, member.Value.Value));

    /// <summary>A member's value; that of an absent one is none.</summary>
    public JsonValue this[string name]
    {
        get => members.GetValueOrDefault(name).Value;
        set => members[name] = new Member(JsonValue.From(name).Utf8, value);
    }

    /// <summary>The body of a request, which is to be one object.</summary>
    public static JsonMembers ParseRequest(ReadOnlyMemory<byte> body)
    {
        var found = new JsonMembers();
        var reader = new JsonBodyReader(body);
        var seen = new HashSet<string>();
        reader.Next();
        reader.MustBeObject();
        while (reader.Member(seen, "$") is { } name) found[name] = new JsonValue(reader.Slice());
        reader.End();
        return found;
    }

    /// <summary>A stored document, or an object inside one: valid, however odd its names are.</summary>
    public static JsonMembers ParseStored(ReadOnlyMemory<byte> document)
    {
        var found = new JsonMembers();
        var reader = new Utf8JsonReader(document.Span, JsonValue.Deep);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = document.Slice((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2);
            var key = ReadKey(ref reader);
            reader.Read();
            found.members[key] = new Member(name, JsonValue.At(document, ref reader));
        }

        return found;
    }

    public void Remove(string name) => members.Remove(name);

    public ReadOnlyMemory<byte> ToJson()
    {
        var json = new ArrayBufferWriter<byte>(1024);
        var separator = "{"u8;
        foreach (var (name, value) in members.Values)
        {
            json.Write(separator);
            json.Write(name.Span);
            json.Write(":"u8);
            json.Write(value.Utf8.Span);
            separator = ","u8;
        }

        json.Write(members.Count == 0 ? "{}"u8 : "}"u8);
        return json.WrittenMemory;
    }

    /// <summary>A name with a lone surrogate is no text: it is kept under its escaped spelling, which no call asks for.</summary>
    private static string ReadKey(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }
    }

    /// <param name="Name">As a JSON string.</param>
    private readonly record struct Member(ReadOnlyMemory<byte> Name, JsonValue Value);
}
