using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Mirubato.Grains.Domain.Json;

/// <summary>
/// A document as a flat list of slices over its own bytes, in pooled memory. JsonDocument would do, but it cannot read a lone surrogate,
/// and costs three times as much where a whole logbook is only looked at to find that nothing in it is new.
/// </summary>
internal ref struct JsonTree
{
    /// <summary>A token that stands for the one at its <see cref="JsonToken.Start"/>.</summary>
    public const JsonTokenType Copy = JsonTokenType.None;

    private readonly ReadOnlySpan<byte> source;
    private JsonToken[] tokens;

    // Names and texts that are not of the document; their tokens start at the complement of a place in here.
    private Utf8Buffer given;

    private JsonTree(ReadOnlySpan<byte> source)
    {
        this.source = source;
        tokens = ArrayPool<JsonToken>.Shared.Rent(32 + (source.Length / 12));
    }

    public int Count { get; private set; }

    public JsonProblem Problem { get; private set; }

    public readonly ref readonly JsonToken this[int at] => ref tokens[at];

    /// <summary>
    /// What is deeper than <paramref name="depthMax"/> is a problem and reads as empty, so that the rest can still be named.
    /// </summary>
    public static JsonTree Parse(ReadOnlySpan<byte> utf8, int depthMax)
    {
        var tree = new JsonTree(utf8);
        try
        {
            if (Utf8.IsValid(utf8)) tree.Fill(depthMax);
            else tree.Problem = JsonProblem.Malformed;
        }
        catch (JsonException)
        {
            tree.Problem = JsonProblem.Malformed;
        }

        return tree;
    }

    /// <summary>The bytes of a value as sent; of a string or name what stands between the quotes.</summary>
    public readonly ReadOnlySpan<byte> Raw(int at)
    {
        ref readonly var token = ref tokens[at];
        return token.Start >= 0 ? source.Slice(token.Start, token.Length) : given.Written.Slice(~token.Start, token.Length);
    }

    /// <summary>The bytes of a value as sent, quotes included.</summary>
    public readonly ReadOnlySpan<byte> Outer(int at) => source[tokens[at].OuterStart..tokens[at].OuterEnd];

    public readonly string Text(int at) => JsonText.Decode(Raw(at), tokens[at].Escaped);

    /// <summary>Whether a value is this text, written without escapes and in at most 256 bytes; false says nothing.</summary>
    public readonly bool IsText(int at, string text)
    {
        if (tokens[at].Kind is not JsonTokenType.String || tokens[at].Escaped) return false;
        Span<byte> utf8 = stackalloc byte[256];
        return Encoding.UTF8.TryGetBytes(text, utf8, out var written) && Raw(at).SequenceEqual(utf8[..written]);
    }

    /// <summary>Adds a member to the root, an object. Answers where its value is to be set.</summary>
    public int AddMember(ReadOnlySpan<byte> name)
    {
        Add(Give(name, JsonTokenType.PropertyName));
        Add(default);
        tokens[0] = tokens[0] with { Next = Count };
        return Count - 1;
    }

    /// <summary>Makes a value read as a text, given as what ECMAScript writes between the quotes.</summary>
    public void SetText(int at, ReadOnlySpan<byte> canonical) => Set(at, Give(canonical, JsonTokenType.String));

    public void SetNull(int at) => Set(at, Give("null"u8, JsonTokenType.Null));

    /// <summary>Makes a value read as another one, which must not hold it.</summary>
    public readonly void SetCopy(int at, int of) => Set(at, new(of, 0, 0, Copy, false));

    /// <summary>Marks a member for forms that leave marked ones out.</summary>
    public readonly void OmitMember(int name) => tokens[name] = tokens[name] with { IsOmitted = true };

    public void Dispose()
    {
        ArrayPool<JsonToken>.Shared.Return(tokens);
        tokens = [];
        given.Dispose();
    }

    /// <summary>What the value held before is passed over.</summary>
    private readonly void Set(int at, JsonToken token) => tokens[at] = token with { Next = Math.Max(tokens[at].Next, at + 1) };

    private JsonToken Give(ReadOnlySpan<byte> text, JsonTokenType kind)
    {
        var start = given.Length;
        given.Append(text);
        return new(~start, text.Length, Count + 1, kind, false);
    }

    private void Fill(int depthMax)
    {
        // Depth is judged here: the reader's own way to refuse it is an exception, and it would hide the id of what is refused.
        var reader = new Utf8JsonReader(source, new JsonReaderOptions { MaxDepth = int.MaxValue });
        Span<int> open = stackalloc int[depthMax];
        var depth = 0;
        while (reader.Read())
        {
            var start = (int)reader.TokenStartIndex;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray when depth == depthMax:
                    AddTooDeep(ref reader, start);
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    open[depth++] = Count;
                    Add(new(start, 0, 0, reader.TokenType, false));
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    ref var opened = ref tokens[open[--depth]];
                    opened = opened with { Length = start + 1 - opened.Start, Next = Count };
                    break;
                default:
                    AddLeaf(ref reader, start);
                    break;
            }
        }
    }

    private void AddTooDeep(ref Utf8JsonReader reader, int start)
    {
        var kind = reader.TokenType;
        reader.Skip();
        Add(new(start, (int)reader.TokenStartIndex + 1 - start, Count + 1, kind, false));
        Note(JsonProblem.TooDeep);
    }

    private void AddLeaf(ref Utf8JsonReader reader, int start)
    {
        var quote = reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String ? 1 : 0;
        if (reader.TokenType is JsonTokenType.Number && !EcmaNumber.IsInRange(reader.ValueSpan)) Note(JsonProblem.NumberOutOfRange);
        Add(new(start + quote, reader.ValueSpan.Length, Count + 1, reader.TokenType, reader.ValueIsEscaped));
    }

    private void Note(JsonProblem problem)
    {
        if (Problem is JsonProblem.None || problem < Problem) Problem = problem;
    }

    private void Add(JsonToken token)
    {
        if (Count == tokens.Length) Grow();
        tokens[Count++] = token;
    }

    private void Grow()
    {
        var larger = ArrayPool<JsonToken>.Shared.Rent(tokens.Length * 2);
        tokens.AsSpan().CopyTo(larger);
        ArrayPool<JsonToken>.Shared.Return(tokens);
        tokens = larger;
    }
}
