namespace Mirubato.Grains.Interfaces;

/// <summary>
/// What may name a user, an entity, a device, a key or a mutation: 1 to 256 UTF-16 units, no control character, no lone surrogate.
/// Anything else is refused where it comes in, so that no store, header or log has to cope with it.
/// </summary>
public static class UsableId
{
    public const int UnitsMax = 256;

    public static bool Is(string? text) => text is { Length: > 0 and <= UnitsMax } && IsPlain(text);

    private static bool IsPlain(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return true;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i])) return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }

        return true;
    }
}
