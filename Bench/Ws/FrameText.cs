using System.Buffers.Text;

namespace Mirubato.Bench.Ws;

/// <summary>Finds in a frame what the bench looks at, by a search of its bytes. The server writes them without spaces.</summary>
internal static class FrameText
{
    /// <summary>The number behind the last occurrence of a member's name, or -1.</summary>
    public static long Last(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> name) => At(frame, frame.LastIndexOf(name), name.Length);

    public static long First(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> name) => At(frame, frame.IndexOf(name), name.Length);

    public static bool Begins(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> type) =>
        frame.StartsWith("{\"type\":\""u8) && frame["{\"type\":\"".Length..].StartsWith(type);

    private static long At(ReadOnlySpan<byte> frame, int at, int length) =>
        at >= 0 && Utf8Parser.TryParse(frame[(at + length)..], out long number, out _) ? number : -1;
}
