using System.Buffers;
using System.Net.WebSockets;
using System.Text.Unicode;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Socket;

/// <summary>The one receiver of a socket. Waiting for a frame, it holds no buffer.</summary>
internal sealed partial class SocketSession
{
    /// <summary>Rented for a frame, and four times as much when it is full.</summary>
    private const int FirstBytes = 4 * 1024;

    private FrameRates rates = FrameRates.From(context.NowMs);

    /// <summary>Runs until the socket ends, by whichever side.</summary>
    public async Task Run()
    {
        try
        {
            while (true)
            {
                var first = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                if (first.MessageType is WebSocketMessageType.Close) break;
                var isBinary = first.MessageType is WebSocketMessageType.Binary;
                if ((first.EndOfMessage ? new ReceivedFrame([], isBinary) : await Receive(isBinary)) is not { } frame) break;
                if (IsOpen) await Handle(frame);
            }

            await AnswerClose();
        }
        catch (Exception gone) when (
            gone is WebSocketException or OperationCanceledException or IOException or InvalidOperationException or TimeoutException)
        {
            // Cut off: by either side, by the missing pong, or because it closed and did not read on.
        }
    }

    /// <summary>The frame that has begun; null: the peer closes instead.</summary>
    private async ValueTask<ReceivedFrame?> Receive(bool isBinary)
    {
        var (buffer, filled) = (ArrayPool<byte>.Shared.Rent(FirstBytes), 0);
        try
        {
            while (true)
            {
                var got = await socket.ReceiveAsync(buffer.AsMemory(filled), CancellationToken.None);
                if (got.MessageType is WebSocketMessageType.Close) return null;
                filled += got.Count;
                if (filled > SocketLimits.FrameBytesMax)
                {
                    // Told once; what else comes of it is read and thrown away until the peer has closed.
                    Close(CloseCode.TooLarge);
                    filled = 0;
                }

                if (got.EndOfMessage) return new ReceivedFrame(IsOpen ? buffer.AsSpan(0, filled).ToArray() : [], isBinary);
                if (filled == buffer.Length) buffer = Larger(buffer);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Larger(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length * 4, SocketLimits.FrameBytesMax + 1));
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    private async ValueTask Handle(ReceivedFrame frame)
    {
        LastFrameMs = context.NowMs;
        context.Metrics.FramesReceived.Add(1);
        if (!rates.Take(LastFrameMs))
        {
            Close(CloseCode.Abuse);
            return;
        }

        try
        {
            if (frame.IsBinary && !Utf8.IsValid(frame.Bytes)) throw new FrameRefusedException(new SocketError(SocketErrorCode.InvalidJson));
            await Handle(SocketRequest.Parse(frame.Bytes, who.User, LastFrameMs), frame.Bytes);
        }
        catch (FrameRefusedException refused)
        {
            if (refused.Error.Code is SocketErrorCode.InvalidJson && !rates.TakeMalformed(LastFrameMs)) Close(CloseCode.Abuse);
            else SendUnordered(SocketFrames.Error(context.Now, refused.Error));
        }
        catch (OperationCanceledException) when (!IsOpen)
        {
            // Closed meanwhile: the peer is read from until it has closed too, or it would be cut off before it was told why.
        }
    }

    private ValueTask Handle(SocketRequest request, ReadOnlyMemory<byte> frame)
    {
        switch (request)
        {
            case SocketRequest.Ping:
                SendNow(SocketFrames.Pong(context.Now));
                return default;
            case SocketRequest.Sync sync:
                Request(sync.LastSeq);
                return default;
            case SocketRequest.Auth auth:
                return Renew(auth.Token);
            default:
                return Mutate((SocketRequest.Mutation)request, frame);
        }
    }

    /// <summary>A fresh token of the same user takes the place of one that is about to expire.</summary>
    private async ValueTask Renew(string fresh)
    {
        TokenFacts? facts;
        try
        {
            facts = await context.Tokens.Check(fresh);
        }
        catch (RequestRefusedException)
        {
            throw new FrameRefusedException(new SocketError(SocketErrorCode.Unavailable, "$.token"));
        }

        if (facts is null) throw new FrameRefusedException(new SocketError(SocketErrorCode.InvalidToken, "$.token"));
        if (facts.User != who.User) throw new FrameRefusedException(new SocketError(SocketErrorCode.Forbidden, "$.token"));
        token = facts;
        SendNow(SocketFrames.Authenticated(context.Now, IsoTime.Text(facts.ExpiresMs)));
    }

    /// <summary>The peer closes: it is answered with its own code, behind whatever is being written.</summary>
    private async ValueTask AnswerClose()
    {
        Close(code: default);
        await Written().WaitAsync(TimeSpan.FromMilliseconds(SocketLimits.ClosingMs), context.Time);
    }

    private readonly record struct ReceivedFrame(byte[] Bytes, bool IsBinary);
}
