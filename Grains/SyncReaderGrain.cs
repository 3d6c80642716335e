using Orleans.Concurrency;

namespace Mirubato.Grains;

/// <summary>Reads for processes without a store. It has no state, and any silo may run it.</summary>
[GrainType("mirubato-reader"), StatelessWorker, Reentrant]
internal sealed class SyncReaderGrain(IUserReader reader, IReadiness readiness) : Grain, ISyncReaderGrain
{
    public Task<Reply<HistoryState>> HistoryState(Caller caller) => Answer(reader.HistoryState(caller, CancellationToken.None));

    public Task<Reply<ReadPage>> Read(PageRequest request) => Answer(Page(request));

    public Task<Reply<LiveDocuments>> Documents(DocumentsRequest request) =>
        Answer(reader.Documents(request.Caller, request.Query, CancellationToken.None));

    public Task<Reply<List<ConflictReport>>> Conflicts(FeedRequest request) =>
        Answer(reader.Conflicts(request.User, request.After, request.Limit, CancellationToken.None));

    public Task<Reply<List<VersionReport>>> History(HistoryRequest request) => Answer(reader.History(request, CancellationToken.None));

    public Task<Reply<List<VersionReport>>> Versions(VersionsRequest request) => Answer(reader.Versions(request, CancellationToken.None));

    public Task<Reply<Dictionary<UserId, UserState>>> States(StatesRequest request) =>
        Answer(reader.States(request.Users, CancellationToken.None));

    public Task<Reply<byte[]>> TicketKey() => Answer(reader.TicketKey(CancellationToken.None));

    public Task<Reply<bool>> Ready() => Answer(readiness.Ready(CancellationToken.None));

    /// <summary>What is past the bound of a page that crosses the cluster is left to the next one; at least one row comes.</summary>
    private async ValueTask<ReadPage> Page(PageRequest request)
    {
        var page = await reader.Read(request.Caller, request.Query, CancellationToken.None);
        var (bytes, rows) = (0L, 0);
        while (rows < page.Rows.Count && (rows == 0 || bytes + page.Rows[rows].Data.Length <= Limits.RemotePageBytesMax))
        {
            bytes += page.Rows[rows++].Data.Length;
        }
        return rows == page.Rows.Count ? page : page with { Rows = page.Rows.GetRange(0, rows), More = true };
    }

    private static async Task<Reply<T>> Answer<T>(ValueTask<T> read)
    {
        try
        {
            return new Reply<T>(await read);
        }
        catch (StoreUnavailableException fault)
        {
            return new Reply<T>(default, new Fault(fault.Reason, fault.OutcomeUnknown));
        }
    }
}
