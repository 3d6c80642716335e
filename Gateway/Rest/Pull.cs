using System.Buffers;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// One pull. (1) A client without a token, which asks for everything, gets it as the store has joined it, while it is small. (2) For any
/// other the first page, by revision, settles whether the client starts over. (3) Further pages follow while the answer is small, or up to
/// its limit, and are written at once. (4) What is larger is streamed by key, page by page.
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
        if (request is { Since: null, Limit: null } && await AnswerJoined()) return;
        var (history, more, moved) = await Gather();
        Begin(history);
        if (request.Limit is null && (more || moved))
        {
            // They come again from the stream: a client that does not read must not hold them.
            rows.Clear();
            var steps = await AnswerSteps.Start(call.Http);
            await new PullStream(call, steps, request.Types, since, reset, call.Time.GetUtcNow()).Write(history);
            return;
        }

        // Rows past the first page's head belong to the next pull: this answer tells of the moment of its first page.
        var hasMore = more && !moved;
        metrics.PulledRows.Add(rows.Count);
        await Write(
            to => EntitySections.Documents(to, rows, withDeleted: since is not null), history, hasMore, whole: !hasMore && !moved);
    }

    private async ValueTask<bool> AnswerJoined()
    {
        var live = await call.Reader.Documents(call.Caller, new LiveQuery(request.Types, HeldRowsMax, HeldBytesMax), call.Cancel);
        RequestRefusedException.ThrowIf(live.HistoryState.Refusal(call.Caller));
        if (live.Types is not { } types) return false;
        Begin(live.HistoryState);
        metrics.PulledRows.Add(types.Sum(type => type.Count));
        bytes = types.Sum(type => type.Chunks.Sum(chunk => (long)chunk.Length));
        await Write(to => JoinedSections.Documents(to, types), live.HistoryState, hasMore: false, whole: true);
        return true;
    }

    private void Begin(HistoryState history)
    {
        call.Http.Response.Headers.ETag = request.Tag(history);
        call.Http.Response.ContentType = ContentTypes.Json;
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

    /// <summary>A client that pages from the start may be below the horizon until it has passed it.</summary>
    private SyncToken PagingToken(HistoryState history) =>
        (since ?? new SyncToken(history.Epoch, Revision.Origin, history.Horizon)).At(new Revision(rows[^1].Seq));

    private async Task Write(DocumentWriter documents, HistoryState history, bool hasMore, bool whole)
    {
        if (bytes <= SmallBytes)
        {
            await call.Http.Answer(StatusCodes.Status200OK, Whole(documents, history, hasMore, whole), ContentTypes.Json);
            return;
        }

        var to = await AnswerSteps.Start(call.Http);
        to.Write("{"u8);
        foreach (var document in documents(to)) await to.Write(document);
        Tail(to, history, hasMore, whole);
        await to.Flush();
    }

    private ReadOnlyMemory<byte> Whole(DocumentWriter documents, HistoryState history, bool hasMore, bool whole)
    {
        var to = new ArrayBufferWriter<byte>((int)bytes + 1024);
        to.Write("{"u8);
        foreach (var document in documents(to)) to.Write(document.Span);
        Tail(to, history, hasMore, whole);
        return to.WrittenMemory;
    }

    private void Tail(IBufferWriter<byte> to, HistoryState history, bool hasMore, bool whole)
    {
        var token = hasMore ? PagingToken(history) : history.Token;
        PullWriter.Tail(to, token, call.Time.GetUtcNow(), whole ? history : null, hasMore, reset);
    }

    /// <summary>Writes what stands between documents, and returns each document for the caller to write there and then.</summary>
    private delegate IEnumerable<ReadOnlyMemory<byte>> DocumentWriter(IBufferWriter<byte> to);
}
