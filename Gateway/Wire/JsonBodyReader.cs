using System.Text;
using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>
/// One pass over a body. Values are sliced out as the bytes they are, not parsed; what is wrong is reported with its place.
/// </summary>
internal ref struct JsonBodyReader(ReadOnlyMemory<byte> body)
{
    /// <summary>Members of an envelope: far more than the protocol has, few enough to remember each.</summary>
    public const int MembersMax = 1_000;

    private Utf8JsonReader reader = new(body.Span, new JsonReaderOptions { MaxDepth = Limits.BodyDepthMax });

    // Names that come again and again are not made anew.
    private static readonly (byte[] Utf8, string Text)[] CommonNames =
        [.. new[] { "type", "id", "data", "checksum", "version", "baseVersion", "deleted", "entities", "changes", "entries", "timestamp" }
            .Select(name => (Encoding.UTF8.GetBytes(name), name))];

    private string parent = "$";
    private string? member;

    /// <summary>The JSON path of the value at hand. Callers set it while they descend.</summary>
    public string Path
    {
        readonly get => member is null ? parent : $"{parent}.{Cut(member)}";
        set => (parent, member) = (value, null);
    }

    public readonly JsonTokenType Token => reader.TokenType;

    /// <summary>How many objects and arrays the value at hand is in.</summary>
    public readonly int Depth => reader.CurrentDepth;

    /// <summary>All of it: what documents are ranges of.</summary>
    public readonly ReadOnlyMemory<byte> Body => body;

    public void Next()
    {
        try
        {
            if (!reader.Read()) throw new RequestRefusedException(Problem.InvalidJson, "The body is empty or ends too early.", Path);
        }
        catch (JsonException e)
        {
            throw new RequestRefusedException(Problem.InvalidJson, $"The body is not valid JSON: {e.Message}", Path);
        }
    }

    /// <summary>To the value at hand, which must be an object.</summary>
    public readonly void MustBeObject()
    {
        if (Token != JsonTokenType.StartObject) throw Wrong("must be an object");
    }

    /// <summary>The next member's name; null at the end of the object. The reader then stands on its value.</summary>
    public string? Member(HashSet<string> seen, string of)
    {
        Path = of;
        Next();
        if (Token == JsonTokenType.EndObject) return null;
        var name = CommonName() ?? Text()!;
        member = name;
        if (!seen.Add(name))
        {
            throw new RequestRefusedException(Problem.DuplicateMember, $"The body names {Path} twice; send it once.", Path);
        }
        if (seen.Count > MembersMax) throw Wrong($"is one member too many: an object here holds at most {MembersMax}");
        Next();
        return name;
    }

    /// <summary>The text at hand, null for null.</summary>
    public readonly string? Text()
    {
        if (Token == JsonTokenType.Null) return null;
        if (Token is not (JsonTokenType.String or JsonTokenType.PropertyName)) throw Wrong("must be a string");
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            throw Wrong("holds a lone surrogate, which is no text");
        }
    }

    /// <summary>The text at hand, as the same object where it is the likely one.</summary>
    public readonly string? Text(string? likely) =>
        likely is not null && Token == JsonTokenType.String && reader.ValueTextEquals(likely) ? likely : Text();

    private readonly string? CommonName()
    {
        foreach (var (utf8, text) in CommonNames)
        {
            if (reader.ValueSpan.SequenceEqual(utf8)) return text;
        }

        return null;
    }

    public readonly long? Number() => Token == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : null;

    /// <summary>The whole value at hand as it was sent; the reader then stands on its end.</summary>
    public ReadOnlyMemory<byte> Slice()
    {
        var start = (int)reader.TokenStartIndex;
        Skip();
        return body[start..(int)reader.BytesConsumed];
    }

    public void Skip()
    {
        try
        {
            reader.Skip();
        }
        catch (JsonException e)
        {
            throw new RequestRefusedException(Problem.InvalidJson, $"The body is not valid JSON: {e.Message}", Path);
        }
    }

    /// <summary>From anywhere in an object or array to its end.</summary>
    /// <param name="depth">That of the object or array.</param>
    public void SkipToEnd(int depth)
    {
        while (Depth > depth || Token is not (JsonTokenType.EndObject or JsonTokenType.EndArray)) Next();
    }

    /// <summary>Nothing but white space may follow.</summary>
    public void End()
    {
        try
        {
            reader.Read();
        }
        catch (JsonException e)
        {
            throw new RequestRefusedException(Problem.InvalidJson, $"The body is not valid JSON: {e.Message}", "$");
        }
    }

    public readonly RequestRefusedException Wrong(string what) => new(Problem.InvalidShape, $"{Path} {what}.", Path);

    public static string Cut(string name) => name.Length <= 64 ? name : name[..(char.IsHighSurrogate(name[63]) ? 63 : 64)];
}
