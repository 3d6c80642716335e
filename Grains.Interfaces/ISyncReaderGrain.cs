namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Reads for processes without a store. The key is the user's hash modulo <see cref="Keys"/>: one constant key would serve two reads at a
/// time, and a worker for each user would cost a timer each. A page is of at most <see cref="Limits.RemotePageBytesMax"/>.
/// </summary>
[Alias("mirubato.reader")]
public interface ISyncReaderGrain : IGrainWithIntegerKey
{
    const int Keys = 64;

    [Alias("standing"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<HistoryState>> HistoryState(Caller caller);

    [Alias("read"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<ReadPage>> Read(PageRequest request);

    [Alias("documents"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<LiveDocuments>> Documents(DocumentsRequest request);

    [Alias("conflicts"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<List<ConflictReport>>> Conflicts(FeedRequest request);

    [Alias("history"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<List<VersionReport>>> History(HistoryRequest request);

    [Alias("versions"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<List<VersionReport>>> Versions(VersionsRequest request);

    [Alias("states"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<Dictionary<UserId, UserState>>> States(StatesRequest request);

    [Alias("ticket-key"), ResponseTimeout(CallTimeouts.Read)]
    Task<Reply<byte[]>> TicketKey();

    /// <summary>The value is true when the store answers.</summary>
    [Alias("ready"), ResponseTimeout(CallTimeouts.HistoryState)]
    Task<Reply<bool>> Ready();
}

[GenerateSerializer, Immutable, Alias("mirubato.page-request")]
public sealed record PageRequest([property: Id(0)] Caller Caller, [property: Id(1)] ReadQuery Query);

[GenerateSerializer, Immutable, Alias("mirubato.feed-request")]
public sealed record FeedRequest([property: Id(0)] UserId User, [property: Id(1)] string? After, [property: Id(2)] int Limit);

[GenerateSerializer, Immutable, Alias("mirubato.states-request")]
public sealed record StatesRequest([property: Id(0)] List<UserId> Users);
