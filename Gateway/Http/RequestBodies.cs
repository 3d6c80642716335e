using System.IO.Compression;
using System.Text.Unicode;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>
/// Reads a body, unpacked, into one array. The array is not pooled: documents are slices of it, and a request that was given up may
/// still wait at its coordinator. What it outgrew on the way is: large arrays that are thrown away cost whole collections.
/// </summary>
internal sealed class RequestBodies(
    BodyBudget budget, UserRates rates, GatewayOptions options, [FromKeyedServices(ServerClock.Key)] TimeProvider time)
{
    /// <summary>What a buffer has before anything has arrived; from then on it doubles when it is full.</summary>
    private const int FirstBytes = 4 * 1024;

    /// <summary>After so much unpacked without waiting for the network, other requests have their turn.</summary>
    private const int SliceBytes = 1024 * 1024;

    public async ValueTask<ReadOnlyMemory<byte>> Read(HttpContext http, UserId user)
    {
        var packed = Encoding(http.Request);
        var length = packed is null ? http.Request.ContentLength : null;
        if (length == 0) return default;
        if (length > Limits.BodyBytesMax) throw new RequestRefusedException(Problem.BodyTooLarge);

        await using var stream = Unpack(http.Request.Body, packed);
        var first = (int)Math.Min(length ?? FirstBytes, FirstBytes);
        try
        {
            var body = await Fill(http, stream, new GrowingBuffer(first), length, user);
            return Utf8.IsValid(body.Span) ? body : throw new RequestRefusedException(Problem.InvalidUtf8);
        }
        catch (Exception e) when (
            packed is not null && e is InvalidDataException or InvalidOperationException and not ObjectDisposedException)
        {
            // GZip and Brotli each have their own word for bytes they cannot unpack.
            throw new RequestRefusedException(Problem.InvalidEncoding);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> Fill(
        HttpContext http, Stream stream, GrowingBuffer buffer, long? length, UserId user)
    {
        while (buffer.Filled != length)
        {
            if (buffer.IsFull)
            {
                var size = NextSize(buffer, length);
                if (size > BodyBudget.FreeBytes)
                {
                    // To unpack is work; to receive what is not packed is not, and need not wait for it.
                    return length is null
                        ? await BodyWork.RunAsync(size, (http, stream, buffer, user), body =>
                            FillLarge(body.http, body.stream, body.buffer, null, body.user))
                        : await FillLarge(http, stream, buffer, length, user);
                }

                buffer.Grow(size, isLast: size == length);
            }

            var read = await stream.ReadAsync(buffer.FreeSpace(SliceBytes), http.RequestAborted);
            if (read == 0) break;
            buffer.Advance(read);
        }

        return buffer.ToMemory();
    }

    /// <summary>
    /// The rest of a body past 64 KiB: it counts toward the budget and the user's rate, and may take only so long. Of a user who owes for
    /// what came before, nothing more is read.
    /// </summary>
    private async ValueTask<ReadOnlyMemory<byte>> FillLarge(
        HttpContext http, Stream stream, GrowingBuffer buffer, long? length, UserId user)
    {
        using var timeout = new BodyTimeout(TimeSpan.FromSeconds(options.Limits.BodySeconds), time, http.RequestAborted);
        rates.ThrowIfOwing(user);
        var lease = budget.Lease(user);
        http.Response.RegisterForDispose(lease);
        var paid = buffer.Filled;
        try
        {
            while (buffer.Filled != length)
            {
                if (buffer.IsFull)
                {
                    var size = NextSize(buffer, length);
                    lease.Grow(size);
                    Charge();
                    buffer.Grow(size, isLast: size == length);
                }

                var read = await timeout.Read(stream, buffer.FreeSpace(SliceBytes));
                if (read == 0) break;
                if (read == SliceBytes) await Task.Yield();
                buffer.Advance(read);
                if (buffer.Filled > Limits.BodyBytesMax) throw new RequestRefusedException(Problem.BodyTooLarge);
            }

            return buffer.ToMemory();
        }
        finally
        {
            Charge();
        }

        void Charge()
        {
            var permits = (buffer.Filled - paid) / Limits.BytesPerPermit;
            rates.Charge(user, permits);
            paid += permits * Limits.BytesPerPermit;
        }
    }

    /// <summary>One byte more than allowed is enough to know that there is too much: a bomb is not unpacked further.</summary>
    private static int NextSize(GrowingBuffer buffer, long? length) =>
        (int)Math.Min(Math.Min(2L * buffer.Size, Limits.BodyBytesMax + 1), length ?? long.MaxValue);

    private static string? Encoding(HttpRequest request) => request.Headers.ContentEncoding.ToString().Trim() switch
    {
        "" or "identity" => null,
        var text when text.Equals("gzip", StringComparison.OrdinalIgnoreCase) => "gzip",
        var text when text.Equals("br", StringComparison.OrdinalIgnoreCase) => "br",
        _ => throw new RequestRefusedException(Problem.UnsupportedEncoding),
    };

    private static Stream Unpack(Stream body, string? encoding) => encoding switch
    {
        "gzip" => new GZipStream(body, CompressionMode.Decompress, leaveOpen: true),
        "br" => new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true),
        _ => body,
    };

    /// <summary>
    /// How long a large body may take in all, and without progress. Small ones are left to the server's own minimal data rate.
    /// </summary>
    private sealed class BodyTimeout : IDisposable
    {
        private readonly CancellationToken aborted;
        private readonly CancellationTokenSource over;
        private readonly CancellationTokenSource stalled;
        private readonly CancellationTokenSource any;

        public BodyTimeout(TimeSpan span, TimeProvider time, CancellationToken aborted)
        {
            this.aborted = aborted;
            over = new CancellationTokenSource(span, time);
            stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
            any = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stalled.Token, aborted);
        }

        public async ValueTask<int> Read(Stream stream, Memory<byte> into)
        {
            try
            {
                // It runs while this waits for the client, and not while the client waits for this.
                stalled.CancelAfter(Limits.BodyStalledMs);
                var read = await stream.ReadAsync(into, any.Token);
                stalled.CancelAfter(Timeout.Infinite);
                return read;
            }
            catch (OperationCanceledException) when (any.IsCancellationRequested && !aborted.IsCancellationRequested)
            {
                throw new RequestRefusedException(Problem.BodyTooSlow);
            }
        }

        public void Dispose()
        {
            any.Dispose();
            stalled.Dispose();
            over.Dispose();
        }
    }
}
