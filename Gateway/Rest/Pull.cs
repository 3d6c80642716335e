using System.Buffers;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// One pull. (1) The first page, by revision, settles whether the client starts over. (2) Further pages follow while the answer is small,
/// or up to its limit; most pulls end here, and are written at once. (3) What is larger is streamed by key, page by page.
/// </summary>
internal sealed class Pull(Call call, PullRequest request, GatewayMetrics metrics)
{
    /// <summary>How much is held in memory to be answered at once; with a limit, how much one answer carries.</summary>
    public const int HeldBytesMax = 2 * 1024 * 1024;
    public const int HeldRowsMax = 2_000;
    public const int LimitedBytesMax = 8 * 1024 * 1024;

    /// <summary>Answers up to here are sent with their length.</summary>
    private const int SmallBytes = 16 * 1024;

    private readonly List<StoredRow> rows = [];
    private SyncToken? since = request.Since;
    private bool reset;
    private long bytes;

    public async Task Answer()
    {
        var (history, more, moved) = await Gather();
        var response = call.Http.Response;
        response.Headers.ETag = request.Tag(history);
        response.ContentType = ContentTypes.Json;
        if (request.Limit is null && (more || moved))
        {
            // They come again from the stream: a client that does not read must not hold them.
            rows.Clear();
            await new PullStream(call, request.Types, since, reset, call.Time.GetUtcNow()).Write(history);
            return;
        }

        // Rows past the first page's head belong to the next pull: this answer tells of the moment of its first page.
        var hasMore = more && !moved;
        metrics.PulledRows.Add(rows.Count);
        await (
            bytes > SmallBytes ? Stream(history, hasMore, whole: !hasMore && !moved) : Send(history, hasMore, whole: !hasMore && !moved));
    }

    private async ValueTask<(HistoryState HistoryState, bool More, bool Moved)> Gather()
    {
        var first = await First();
        var (last, moved) = await Gather(first);
        return (first.HistoryState, last.More, moved);
    }

    private async ValueTask<ReadPage> First()
    {
        var page = await Read(since?.Seq ?? Revision.Origin);
        RequestRefusedException.ThrowIf(page.HistoryState.Refusal(call.Caller));
        if (since is not { } token || !page.HistoryState.Resets(token)) return page;
        reset = true;
        since = null;
        return await Read(Revision.Origin);
    }

    private async ValueTask<(ReadPage Last, bool Moved)> Gather(ReadPage first)
    {
        var page = first;
        while (true)
        {
            foreach (var row in page.Rows)
            {
                if (row.Seq > first.HistoryState.Last.Number) return (page, true);
                rows.Add(row);
                bytes += row.Data.Length;
            }

            if (!page.More || IsFull()) return (page, page.HistoryState.Token != first.HistoryState.Token);
            page = await Read(new Revision(page.Rows[^1].Seq));
        }
    }

    private bool IsFull() => request.Limit is { } limit
        ? rows.Count >= limit || bytes > LimitedBytesMax
        : rows.Count >= HeldRowsMax || bytes > HeldBytesMax;

    private ValueTask<ReadPage> Read(Revision after) => call.Reader.Read(call.Caller, new ReadQuery
    {
        After = after,
        Rows = Math.Min((request.Limit ?? int.MaxValue) - rows.Count, Limits.PageRowsMax),
        Types = request.Types,
        Kind = since is null ? RowKind.Live : RowKind.Any,
    }, call.Cancel);

    /// <summary>Who pages from the start may stand below the horizon until it has passed it.</summary>
    private SyncToken PagingToken(HistoryState history) =>
        (since ?? new SyncToken(history.Epoch, Revision.Origin, history.Horizon)).At(new Revision(rows[^1].Seq));

    private async Task Stream(HistoryState history, bool hasMore, bool whole)
    {
        var to = new AnswerSteps(call.Http);
        to.Write("{"u8);
        foreach (var document in EntitySections.Documents(to, rows, withDeleted: since is not null)) await to.Write(document);
        Tail(to, history, hasMore, whole);
        await to.Flush();
    }

    private Task Send(HistoryState history, bool hasMore, bool whole)
    {
        var to = new ArrayBufferWriter<byte>((int)bytes + 1024);
        to.Write("{"u8);
        foreach (var document in EntitySections.Documents(to, rows, withDeleted: since is not null)) to.Write(document.Span);
        Tail(to, history, hasMore, whole);
        return call.Http.Answer(StatusCodes.Status200OK, to.WrittenMemory, ContentTypes.Json);
    }

    private void Tail(IBufferWriter<byte> to, HistoryState history, bool hasMore, bool whole)
    {
        var token = hasMore ? PagingToken(history) : history.Token;
        PullWriter.Tail(to, token, call.Time.GetUtcNow(), whole ? history : null, hasMore, reset);
    }
}
