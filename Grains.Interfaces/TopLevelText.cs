using System.Text.Json;

namespace Mirubato.Grains.Interfaces;

/// <summary>One text out of a document of which nothing else is needed: nothing is built.</summary>
public static class TopLevelText
{
    /// <summary>
    /// The text of the first top-level member that has one of the names. Null when there is none, when the document is no object or breaks
    /// off before it, and when that text or a name before it holds a lone surrogate, which is no text.
    /// </summary>
    /// <param name="document">UTF-8 JSON, of any depth.</param>
    /// <param name="name">The name of the member.</param>
    /// <param name="other">Another name of it.</param>
    /// <param name="passesOverOthers">A member of the name that is no text is passed over; else the answer is null there.</param>
    public static string? Find(ReadOnlySpan<byte> document, string name, string? other = null, bool passesOverOthers = true)
    {
        if (document.IsEmpty) return null;
        try
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = int.MaxValue });
            reader.Read();
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var isFound = reader.ValueTextEquals(name) || (other is not null && reader.ValueTextEquals(other));
                reader.Read();
                if (isFound && reader.TokenType is JsonTokenType.String) return reader.GetString();
                if (isFound && !passesOverOthers) return null;
                reader.Skip();
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Broken JSON, or a lone surrogate.
        }

        return null;
    }
}
