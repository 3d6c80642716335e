using System.Buffers;
using System.IO.Pipelines;

namespace Mirubato.Gateway.Http;

/// <summary>
/// An answer on its way out, in steps of 64 KiB: each is handed over when the client has taken the one before, so that a client which does
/// not read costs one step and not its whole answer. One that takes nothing for a minute is cut off.
/// </summary>
/// <remarks>What is written by <see cref="IBufferWriter{T}"/> waits until the next <see cref="Write"/>: only short pieces are.</remarks>
internal sealed class AnswerSteps(HttpContext http) : IBufferWriter<byte>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(Limits.AnswerStalledMs);

    private readonly PipeWriter pipe = http.Response.BodyWriter;
    private readonly TimeProvider time = http.RequestServices.GetRequiredKeyedService<TimeProvider>(ServerClock.Key);
    private int pending;

    /// <summary>
    /// Starts the answer: what is written before that, the server keeps elsewhere and copies once more. What fails from here on cuts the
    /// connection instead of mixing a problem into the answer.
    /// </summary>
    public static async ValueTask<AnswerSteps> Start(HttpContext http)
    {
        await http.Response.StartAsync(http.RequestAborted);
        return new AnswerSteps(http);
    }

    public void Advance(int count)
    {
        pipe.Advance(count);
        pending += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => pipe.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => pipe.GetSpan(sizeHint);

    /// <summary>Writes whatever its length, and ends each step that is full.</summary>
    public ValueTask Write(ReadOnlyMemory<byte> bytes)
    {
        if (pending + bytes.Length >= Limits.AnswerStepBytes) return Split(bytes);
        BuffersExtensions.Write(this, bytes.Span);
        return default;
    }

    /// <summary>Ends a step that may not be full: nothing more comes for now.</summary>
    public async ValueTask Flush()
    {
        pending = 0;
        var flush = pipe.FlushAsync(http.RequestAborted);
        try
        {
            if (flush.IsCompleted) await flush;
            else await flush.AsTask().WaitAsync(Patience, time, http.RequestAborted);
        }
        catch (TimeoutException)
        {
            http.Abort();
            throw new OperationCanceledException("The client took nothing of its answer for too long.");
        }
    }

    private async ValueTask Split(ReadOnlyMemory<byte> bytes)
    {
        while (pending + bytes.Length >= Limits.AnswerStepBytes)
        {
            var now = Math.Clamp(Limits.AnswerStepBytes - pending, 0, bytes.Length);
            BuffersExtensions.Write(this, bytes.Span[..now]);
            bytes = bytes[now..];
            await Flush();
        }

        BuffersExtensions.Write(this, bytes.Span);
    }
}
