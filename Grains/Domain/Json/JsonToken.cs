using System.Text.Json;

namespace Mirubato.Grains.Domain.Json;

/// <summary>One value, or the name of a member, as a slice of the document. A name is followed by its value.</summary>
/// <param name="Start">The first byte; of names and strings the one after the quote.</param>
/// <param name="Length">Bytes of the slice; of names and strings without quotes.</param>
/// <param name="Next">The index of the token after this value and all it holds.</param>
/// <param name="Escaped">The slice has escapes, so it is not yet the text.</param>
internal readonly record struct JsonToken(int Start, int Length, int Next, JsonTokenType Kind, bool Escaped)
{
    /// <summary>A member that some forms leave out; said of its name.</summary>
    public bool IsOmitted { get; init; }

    private int Quote => Kind is JsonTokenType.PropertyName or JsonTokenType.String ? 1 : 0;

    public bool IsContainer => Kind is JsonTokenType.StartObject or JsonTokenType.StartArray;

    /// <summary>Where the token begins in the document, quote included.</summary>
    public int OuterStart => Start - Quote;

    public int OuterEnd => Start + Length + Quote;
}
