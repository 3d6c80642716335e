using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Mirubato.Grains.Interfaces;

/// <summary>A SHA-256 as clients write it: 64 hex digits, in either case.</summary>
public static class ChecksumText
{
    private const int Digits = 64;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    public static bool Is([NotNullWhen(true)] string? text) =>
        text is { Length: Digits } && !text.AsSpan().ContainsAnyExcept(HexDigits);
}
