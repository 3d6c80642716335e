using System.IO.Compression;
using System.Text.Unicode;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>
/// Reads a body, unpacked, into one array. The array is not pooled: documents are slices of it, and a request that was given up may
/// still wait at its coordinator. What it outgrew on the way is: large arrays that are thrown away cost whole collections.
/// </summary>
internal sealed class RequestBodies(BodyBudget budget, GatewayOptions options, [FromKeyedServices(ServerClock.Key)] TimeProvider time)
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
        catch (Exception e) when (packed is not null && e is InvalidDataException or InvalidOperationException)
        {
            // GZip and Brotli each have their own word for bytes they cannot unpack.
            throw new RequestRefusedException(Problem.InvalidEncoding);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> Fill(
        HttpContext http, Stream stream, GrowingBuffer buffer, long? length, UserId user)
    {
        using var timeout = new BodyTimeout(http.RequestAborted);
        BodyBudget.BodyLease? lease = null;
        while (buffer.Filled != length)
        {
            if (buffer.IsFull)
            {
                // One byte more than allowed is enough to know that there is too much: a bomb is not unpacked further.
                var size = (int)Math.Min(Math.Min(2L * buffer.Size, Limits.BodyBytesMax + 1), length ?? long.MaxValue);
                if (size > BodyBudget.FreeBytes)
                {
                    timeout.Start(TimeSpan.FromSeconds(options.Limits.BodySeconds), time);
                    if (lease is null) http.Response.RegisterForDispose(lease = budget.Lease(user));
                    lease.Grow(size);
                }

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
    private sealed class BodyTimeout(CancellationToken aborted) : IDisposable
    {
        private CancellationTokenSource? over;
        private CancellationTokenSource? stalled;
        private CancellationTokenSource? any;

        public void Start(TimeSpan span, TimeProvider time)
        {
            if (over is not null) return;
            over = new CancellationTokenSource(span, time);
            stalled = new CancellationTokenSource(TimeSpan.FromMilliseconds(Limits.BodyStalledMs), time);
            any = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stalled.Token, aborted);
        }

        public async ValueTask<int> Read(Stream stream, Memory<byte> into)
        {
            try
            {
                var read = await stream.ReadAsync(into, any?.Token ?? aborted);
                stalled?.CancelAfter(Limits.BodyStalledMs);
                return read;
            }
            catch (OperationCanceledException) when (any?.IsCancellationRequested == true && !aborted.IsCancellationRequested)
            {
                throw new RequestRefusedException(Problem.BodyTooSlow);
            }
        }

        public void Dispose()
        {
            any?.Dispose();
            stalled?.Dispose();
            over?.Dispose();
        }
    }
}
