namespace Mirubato.Tests.Bench;

/// <summary>Gives out bytes at most so many at a time, as a network may.</summary>
internal sealed class SplitStream(byte[] bytes, int packet) : MemoryStream(bytes)
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(packet, buffer.Length)], cancellationToken);
}
