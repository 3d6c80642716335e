namespace Mirubato.Gateway.Socket;

/// <summary>
/// Counts the frames in what a client sends, by their headers (RFC 6455, 5.2): also pings, pongs and fragments, which the WebSocket above
/// takes in without saying so.
/// </summary>
internal struct FrameMeter
{
    private const int HeaderBytesMax = 14;

    private Header header;
    private int filled;
    private ulong payloadLeft;

    /// <summary>Fragments of the message under way.</summary>
    public int Fragments { get; private set; }

    /// <summary>How many frames begin in the bytes that come next.</summary>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        var frames = 0;
        while (!bytes.IsEmpty)
        {
            if (payloadLeft > 0)
            {
                var skipped = (int)Math.Min(payloadLeft, (ulong)bytes.Length);
                payloadLeft -= (ulong)skipped;
                bytes = bytes[skipped..];
                continue;
            }

            if (filled == 0) frames++;
            header[filled++] = bytes[0];
            bytes = bytes[1..];
            if (filled >= 2 && filled == HeaderBytes) Begin();
        }

        return frames;
    }

    private readonly int Length7 => header[1] & 0x7F;

    private readonly int LengthBytes => Length7 switch { 126 => 2, 127 => 8, _ => 0 };

    private readonly int HeaderBytes => 2 + LengthBytes + ((header[1] & 0x80) != 0 ? 4 : 0);

    private void Begin()
    {
        var length = LengthBytes == 0 ? (ulong)Length7 : 0;
        for (var i = 0; i < LengthBytes; i++) length = (length << 8) | header[2 + i];
        payloadLeft = length;
        filled = 0;
        var (isFinal, isControl) = ((header[0] & 0x80) != 0, (header[0] & 0x08) != 0);
        if (!isControl) Fragments = isFinal ? 0 : Fragments + 1;
    }

    [System.Runtime.CompilerServices.InlineArray(HeaderBytesMax)]
    private struct Header
    {
        private byte first;
    }
}
