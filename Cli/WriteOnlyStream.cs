using System.Text;

namespace Mirubato.Cli;

/// <summary>A stream that only takes bytes.</summary>
internal abstract class WriteOnlyStream : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>Bytes of UTF-8 to a writer of text, whatever piece of a character they come in.</summary>
internal sealed class TextStream(TextWriter to) : WriteOnlyStream
{
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();

    public override void Write(byte[] buffer, int offset, int count)
    {
        var text = new char[Encoding.UTF8.GetMaxCharCount(count)];
        to.Write(text.AsSpan(0, decoder.GetChars(buffer, offset, count, text, 0)));
    }

    public override void Flush() => to.Flush();
}
