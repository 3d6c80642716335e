using System.Net.WebSockets;

namespace Mirubato.Gateway.Socket;

/// <summary>The one sender of a socket: it runs while there is something to send, and is nothing while there is not.</summary>
internal sealed partial class SocketSession : IThreadPoolWorkItem
{
    private bool isSending;
    private long progressMs;
    private TaskCompletionSource? drained;

    /// <summary>Called under the gate.</summary>
    private void Pump()
    {
        if (isSending || outbox.IsEmpty) return;
        isSending = true;
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
            if (!outbox.TryTake(out frame))
            {
                isSending = false;
                drained?.TrySetResult();
                drained = null;
                return false;
            }

            handed = Math.Max(handed, frame.Seq);
            return true;
        }
    }

    private Task SendClose() =>
        closeCode == default
            ? socket.CloseOutputAsync(
                socket.CloseStatus ?? WebSocketCloseStatus.Empty,
                socket.CloseStatus is null or WebSocketCloseStatus.Empty ? null : "", CancellationToken.None)
            : socket.CloseOutputAsync((WebSocketCloseStatus)closeCode, closeCode.Sentence(), CancellationToken.None);

    /// <summary>Until all that is queued is on the wire, or the socket is over: the next page is not read before.</summary>
    private Task Drained() => Written().WaitAsync(over.Token);

    private Task Written()
    {
        lock (gate)
        {
            if (!isSending && outbox.IsEmpty) return Task.CompletedTask;
            drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return drained.Task;
        }
    }
}
