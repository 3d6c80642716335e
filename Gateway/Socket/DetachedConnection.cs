using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Mirubato.Gateway.Socket;

/// <summary>
/// Lets an upgraded connection outlive its request. Kestrel keeps a request with all it holds (6 KiB and more) as long as its upgraded
/// stream is in use; a socket that idles for hours has no use for any of it. So the request ends right after its 101, HTTP lets go of the
/// connection as it would of any other, and what stands between the two keeps it open for the socket.
/// It is not there where TLS ends in this process: HTTP then does not speak over this transport but over the one TLS makes of it.
/// </summary>
internal sealed class DetachedConnection : IDuplexPipe, IConnectionHeartbeatFeature
{
    private readonly ConnectionContext connection;
    private readonly IDuplexPipe transport;
    private readonly IConnectionHeartbeatFeature? heartbeat;
    private (Action<object> Beat, object State)? beating;
    private Func<ConnectionContext, Task>? keeper;

    private DetachedConnection(ConnectionContext connection)
    {
        (this.connection, transport) = (connection, connection.Transport);
        heartbeat = connection.Features.Get<IConnectionHeartbeatFeature>();
        Input = new DetachedReader(transport.Input, this);
        Output = new DetachedWriter(transport.Output, this);
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    public bool IsKept => keeper is not null;

    public static void Use(ListenOptions listen) => listen.Use(next => connection => new DetachedConnection(connection).Serve(next));

    public static DetachedConnection? Find(HttpContext http) =>
        http.Features.Get<ITlsHandshakeFeature>() is null && HttpProtocol.IsHttp11(http.Request.Protocol)
            ? http.Features.Get<DetachedConnection>()
            : null;

    /// <summary>Called while the request is still there: whoever keeps the connection has it once the request is gone.</summary>
    public void Keep(Func<ConnectionContext, Task> by) => keeper = by;

    void IConnectionHeartbeatFeature.OnHeartbeat(Action<object> action, object state)
    {
        // The heartbeat timer keeps what it is given rooted, and that would be the whole request.
        beating = (action, state);
        heartbeat?.OnHeartbeat(static kept => ((DetachedConnection)kept).Beat(), this);
    }

    private void Beat()
    {
        if (beating is var (beat, state)) beat(state);
    }

    private async Task Serve(ConnectionDelegate next)
    {
        var features = connection.Features;
        features.Set(this);
        features.Set<IConnectionHeartbeatFeature>(this);
        // An upgrade would take it off the count of connections, and HTTP's end off the count of upgraded ones.
        features.Set<IDecrementConcurrentConnectionCountFeature>(null);
        connection.Transport = this;
        try
        {
            await next(connection);
        }
        finally
        {
            beating = null;
            connection.Transport = transport;
            features.Set<DetachedConnection>(null);
            if (keeper is not null) await keeper(connection);
        }
    }

    private sealed class DetachedReader(PipeReader inner, DetachedConnection connection) : PipeReader
    {
        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            inner.ReadAsync(cancellationToken);

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        public override void Complete(Exception? exception = null)
        {
            if (!connection.IsKept) inner.Complete(exception);
        }
    }

    private sealed class DetachedWriter(PipeWriter inner, DetachedConnection connection) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            inner.FlushAsync(cancellationToken);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(source, cancellationToken);

        public override void Complete(Exception? exception = null)
        {
            if (!connection.IsKept) inner.Complete(exception);
        }
    }
}
