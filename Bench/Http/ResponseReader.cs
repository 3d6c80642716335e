using System.Buffers.Text;
using System.Text;

namespace Mirubato.Bench.Http;

/// <summary>
/// Reads HTTP/1.1 answers off one connection, one after the other. It understands what a server of the contract sends
/// (Content-Length, chunked, or neither and a close) and keeps of a body only as much as the caller asked for:
/// a pull of 1,000 entities is half a megabyte that nobody looks at after the first time.
/// </summary>
internal sealed class ResponseReader(Stream stream)
{
    private const int HeadBytesMax = 32 * 1024;
    private readonly byte[] buffer = new byte[64 * 1024];
    private byte[] head = new byte[1024];
    private byte[] kept = new byte[1024];
    private int start, end, headLength, keptLength, keepMax;

    public int Status { get; private set; }

    /// <summary>Length of the whole body in bytes, without chunk framing.</summary>
    public long BodyLength { get; private set; }

    /// <summary>False once the server said it will close, or can only end the body by closing.</summary>
    public bool MayReuse { get; private set; } = true;

    /// <summary>The first bytes of the body, as many as were asked to be kept. Valid until the next read.</summary>
    public ReadOnlySpan<byte> Body => kept.AsSpan(0, keptLength);

    public ReadOnlyMemory<byte> BodyMemory => kept.AsMemory(0, keptLength);

    /// <exception cref="IOException">The connection ended inside an answer, or what came is not HTTP/1.1.</exception>
    public async ValueTask Read(int keepBytesMax)
    {
        (keepMax, keptLength, BodyLength) = (keepBytesMax, 0, 0);
        do
            await ReadHead();
        while (Status is >= 100 and < 200);

        if (Status is 204 or 304)
            return;
        if (IsChunked())
            await ReadChunks();
        else if (TryContentLength(out var length))
            await Consume(length);
        else
            await ConsumeToEnd();
    }

    /// <summary>The trimmed value of a header of the last answer, or empty.</summary>
    public ReadOnlySpan<byte> Header(ReadOnlySpan<byte> name)
    {
        var rest = head.AsSpan(0, headLength);
        while (rest.IndexOf((byte)'\n') is >= 0 and var lineEnd)
        {
            var line = rest[..lineEnd];
            if (line.Length > name.Length && line[name.Length] == ':' && Ascii.EqualsIgnoreCase(line[..name.Length], name))
                return line[(name.Length + 1)..].Trim(" \t\r"u8);
            rest = rest[(lineEnd + 1)..];
        }
        return [];
    }

    private async ValueTask ReadHead()
    {
        int length;
        while ((length = buffer.AsSpan(start, end - start).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (end - start > HeadBytesMax)
                throw new IOException($"The head of the answer is longer than {HeadBytesMax} bytes.");
            await Fill();
        }
        headLength = length + 2;
        if (head.Length < headLength)
            head = new byte[headLength];
        buffer.AsSpan(start, headLength).CopyTo(head);
        start += length + 4;
        ParseStatus();
        MayReuse = !Ascii.EqualsIgnoreCase(Header("Connection"u8), "close"u8);
    }

    private void ParseStatus()
    {
        var line = head.AsSpan(0, headLength);
        if (line.Length < 12 || !line.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(line.Slice(9, 3), out int status, out _))
            throw new IOException("What came back is not an HTTP/1.1 answer.");
        Status = status;
    }

    private bool IsChunked() => Ascii.EqualsIgnoreCase(Header("Transfer-Encoding"u8), "chunked"u8);

    private bool TryContentLength(out long length) =>
        Utf8Parser.TryParse(Header("Content-Length"u8), out length, out var used) && used > 0;

    private async ValueTask ReadChunks()
    {
        while (true)
        {
            var size = ChunkSize(await ReadLine());
            if (size == 0)
                break;
            await Consume(size);
            await ReadLine();
        }
        while (await ReadLine() > 0)
        {
            // Trailers are of no interest, but they belong to this answer.
        }
    }

    private long ChunkSize(int lineLength)
    {
        var line = buffer.AsSpan(start - lineLength - 2, lineLength);
        return Utf8Parser.TryParse(line, out long size, out _, 'x') && size >= 0
            ? size
            : throw new IOException("The answer is chunked, but a chunk has no readable size.");
    }

    /// <summary>Steps over one line and returns its length without CRLF; its bytes are still just before <c>start</c>.</summary>
    private async ValueTask<int> ReadLine()
    {
        int length;
        while ((length = buffer.AsSpan(start, end - start).IndexOf("\r\n"u8)) < 0)
            await Fill();
        start += length + 2;
        return length;
    }

    private async ValueTask Consume(long length)
    {
        while (length > 0)
        {
            if (start == end)
                await Fill();
            var available = (int)Math.Min(end - start, length);
            Take(available);
            length -= available;
        }
    }

    private async ValueTask ConsumeToEnd()
    {
        MayReuse = false;
        do
            Take(end - start);
        while (await TryFill());
    }

    private void Take(int count)
    {
        var keep = Math.Min(count, keepMax - keptLength);
        if (keep > 0)
        {
            if (kept.Length < keptLength + keep)
                Array.Resize(ref kept, Math.Max(kept.Length * 2, keptLength + keep));
            buffer.AsSpan(start, keep).CopyTo(kept.AsSpan(keptLength));
            keptLength += keep;
        }
        start += count;
        BodyLength += count;
    }

    private async ValueTask Fill()
    {
        if (!await TryFill())
            throw new IOException("The server closed the connection before its answer was complete.");
    }

    private async ValueTask<bool> TryFill()
    {
        if (start == end)
            start = end = 0;
        else if (end == buffer.Length)
            Compact();
        var count = await stream.ReadAsync(buffer.AsMemory(end));
        end += count;
        return count > 0;
    }

    private void Compact()
    {
        if (start == 0)
            throw new IOException("A line of the answer does not fit the buffer.");
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
    }
}
