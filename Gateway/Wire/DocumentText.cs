using System.Text.Json;

namespace Mirubato.Gateway.Wire;

internal static class DocumentText
{
    /// <summary>The text of the first member of a document that has one of the names; null when there is none.</summary>
    public static string? Find(ReadOnlySpan<byte> document, string name, string? other = null)
    {
        if (document.IsEmpty) return null;
        try
        {
            var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = Limits.BodyDepthMax });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var found = reader.ValueTextEquals(name) || (other is not null && reader.ValueTextEquals(other));
                reader.Read();
                if (found && reader.TokenType == JsonTokenType.String) return reader.GetString();
                reader.Skip();
            }
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate, which is no text.
        }

        return null;
    }
}
