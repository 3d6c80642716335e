namespace Mirubato.Gateway.Socket;

/// <summary>
/// The stream of an upgraded request, where the socket lives as long as the request: TLS ends in this process, or it came by HTTP/2.
/// </summary>
internal sealed class UpgradedStream(Stream inner, TimeProvider time) : MeteredStream(time)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        if (!Take(buffer.Span[..read])) await Wait(cancellationToken);
        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    protected override void Dispose(bool disposing)
    {
        // First what waits on it: it must end even if the request's own stream cannot.
        base.Dispose(disposing);
        inner.Dispose();
    }
}
