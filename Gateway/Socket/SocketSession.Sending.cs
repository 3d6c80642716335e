using System.Net.WebSockets;

namespace Mirubato.Gateway.Socket;

/// <summary>The one sender of a socket: it runs while there is something to send, and is nothing while there is not.</summary>
internal sealed partial class SocketSession : IThreadPoolWorkItem
{
    private long progressMs;
    private TaskCompletionSource? drained;

    private void StartSender()
    {
        progressMs = context.NowMs;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = Send();

    private async Task Send()
    {
        try
        {
            while (TakeNext(out var frame))
            {
                if (frame.Kind is FrameKind.Close)
                {
                    await SendClose();
                    continue;
                }

                await socket.SendAsync(
                    frame.Bytes, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage | WebSocketMessageFlags.DisableCompression,
                    CancellationToken.None);
                context.Metrics.FramesSent.Add(1);
                frame.FanOut?.Done();
            }
        }
        catch (Exception)
        {
            // The peer is gone, or was cut off; the receiving side ends the session.
            socket.Abort();
        }
    }

    private bool TakeNext(out QueuedFrame frame)
    {
        lock (gate)
        {
            progressMs = context.NowMs;
            if (position.TryTake(out frame)) return true;
            drained?.TrySetResult();
            drained = null;
            return false;
        }
    }

    private Task SendClose() =>
        position.CloseCode is var code && code == default
            ? socket.CloseOutputAsync(
                socket.CloseStatus ?? WebSocketCloseStatus.Empty,
                socket.CloseStatus is null or WebSocketCloseStatus.Empty ? null : "", CancellationToken.None)
            : socket.CloseOutputAsync((WebSocketCloseStatus)code, code.Sentence(), CancellationToken.None);

    /// <summary>Until all that is queued is on the wire, or the socket is over: the next page is not read before.</summary>
    private Task Drained() => Written().WaitAsync(over.Token);

    /// <summary>Until no more than half of what the queue may hold is queued.</summary>
    private async ValueTask HalfDrained()
    {
        while (IsHalfFull) await Drained();
    }

    private Task Written()
    {
        lock (gate)
        {
            if (position.IsDrained) return Task.CompletedTask;
            drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return drained.Task;
        }
    }

    private bool IsHalfFull
    {
        get
        {
            lock (gate) return position.IsHalfFull;
        }
    }
}
