using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

/// <summary>Just enough of an engine to exercise the HTTP edge: rows in memory, last write wins, no merging.</summary>
internal sealed class FakeCoordinators(IAnswerFormat format) : IUserReader, IReadiness
{
    private readonly ConcurrentDictionary<UserId, FakeCoordinator> users = new();

    public bool Down { get; set; }

    /// <summary>Completed when somebody asks a coordinator where the history stands, which is never answered then; null: it is.</summary>
    public TaskCompletionSource? Silent { get; set; }

    public Exception? Fails { get; set; }

    public FakeCoordinator For(UserId user) => users.GetOrAdd(user, _ => new FakeCoordinator(this, format));

    public FakeCoordinator For(string user) => For(new UserId(user));

    public ValueTask<HistoryState?> Confirmed(Caller caller, CancellationToken cancel) => new((HistoryState?)null);

    public ValueTask<WriteAnswer?> Replayed(ReceiptQuery query, CancellationToken cancel) => new((WriteAnswer?)null);

    public ValueTask<StatusReport?> ConfirmedStatus(Caller caller, CancellationToken cancel) => new((StatusReport?)null);

    public ValueTask<HistoryState> HistoryState(Caller caller, CancellationToken cancel) => new(For(caller.User).Now(caller));

    public ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel) => new(For(caller.User).Read(caller, query));

    public ValueTask<LiveDocuments> Documents(Caller caller, LiveQuery query, CancellationToken cancel) =>
        new(For(caller.User).Documents(caller, query));

    public ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel) => new([]);

    public ValueTask<Dictionary<UserId, UserState>> States(List<UserId> asked, CancellationToken cancel) =>
        new(asked.ToDictionary(user => user, user => new UserState(For(user).Now(null), [], 0)));

    public ValueTask<List<VersionReport>> History(HistoryRequest request, CancellationToken cancel) => new([]);

    public ValueTask<List<VersionReport>> Versions(VersionsRequest request, CancellationToken cancel) => new([]);

    public int TicketKeyReads { get; private set; }

    public ValueTask<byte[]> TicketKey(CancellationToken cancel)
    {
        TicketKeyReads++;
        return new(new byte[32]);
    }

    public ValueTask<bool> Ready(CancellationToken cancel) => new(!Down);
}

internal sealed class FakeCoordinator(FakeCoordinators all, IAnswerFormat format)
    : ISyncCoordinatorGrain, IUserStatusGrain, IUserConnectionsGrain
{
    private readonly Dictionary<EntityKey, StoredRow> rows = [];
    private readonly Dictionary<string, WriteAnswer> receipts = [];
    private readonly Epoch epoch = new(Guid.NewGuid());
    private long head;

    public HashSet<DeviceId> Revoked { get; } = [];

    public long NotBeforeMs { get; set; }

    public WriteRequest? LastRequest { get; private set; }

    /// <summary>What writes are answered with, instead of what became of them.</summary>
    public byte[]? AnswerBody { get; set; }

    public List<ReadQuery> Reads { get; } = [];

    /// <summary>Runs before each page is read: another writer's chance.</summary>
    public Action? BeforeRead { get; set; }

    /// <summary>Bytes a page may hold beside its row limit.</summary>
    public int PageRows { get; set; } = Limits.PageRowsMax;

    public void Put(string type, string id, string? json = null) =>
        Store(new EntityKey(type, id), Encoding.UTF8.GetBytes(json ?? $$"""{"id":"{{id}}"}"""), deleted: false);

    public void Delete(string type, string id) => Store(new EntityKey(type, id), default, deleted: true);

    private ItemStatus Store(EntityKey key, ReadOnlyMemory<byte> data, bool deleted)
    {
        var known = rows.ContainsKey(key);
        head++;
        rows[key] = new StoredRow(key, head, head, 1_700_000_000_000 + head, deleted ? 1_700_000_000_000 + head : null, data.ToArray());
        return deleted ? ItemStatus.Deleted : known ? ItemStatus.Updated : ItemStatus.Created;
    }

    public Task<Reply<WriteAnswer>> FindReceipt(ReceiptQuery query) => throw new NotSupportedException();

    public Task<Reply<WriteAnswer>> RestoreVersion(RestoreVersionRequest request) => throw new NotSupportedException();

    public Task<Reply<RewindReport>> Rewind(RewindRequest request) => throw new NotSupportedException();

    public HistoryState Now(Caller? caller)
    {
        Check();
        return HistoryStateOf(caller);
    }

    private HistoryState HistoryStateOf(Caller? caller) =>
        new(
            epoch, new Revision(1), new Revision(head), Revision.Origin, (UInt128)head, 0, NotBeforeMs, 0,
            caller?.Device is { } device && Revoked.Contains(device));

    public Task<Reply<WriteAnswer>> Write(WriteRequest request) => Answer(() =>
    {
        LastRequest = request;
        if (HistoryStateOf(request.Caller).Refusal(request.Caller) is var why and not RequestRefusal.None) return WriteAnswer.Refuse(why);
        if (request.Key is { } key && receipts.TryGetValue(key, out var first))
            return LastBody(key, request) ? first with { Replayed = true } : WriteAnswer.Refuse(RequestRefusal.KeyReused);
        var items = request.Changes.Select(change => Apply(change, request.FindDocument(change))).ToList();
        var (status, body) = format.Write(request, new WriteOutcome(true, items, HistoryStateOf(null).Token));
        var answer = new WriteAnswer(RequestRefusal.None, status, AnswerBody ?? body, Replayed: false, items);
        if (request.Key is null) return answer;
        receipts[request.Key] = answer;
        bodies[request.Key] = request.Body.ToArray();
        return answer;
    });

    private readonly Dictionary<string, byte[]> bodies = [];

    private bool LastBody(string key, WriteRequest request) => bodies[key].AsSpan().SequenceEqual(request.Body.Span);

    private ItemResult Apply(Change change, ReadOnlyMemory<byte> sent)
    {
        var id = change.Id ?? "";
        if (change.Refused is not ItemRefusal.None)
        {
            return new ItemResult(new EntityKey(change.Type, id), ItemStatus.Refused, Refusal: change.Refused);
        }
        if (id.Length == 0)
        {
            using var document = JsonDocument.Parse(sent, new JsonDocumentOptions { MaxDepth = Limits.BodyDepthMax });
            id = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("id", out var value)
                ? value.GetString()!
                : "";
        }

        var key = new EntityKey(change.Type, id);
        if (id.Length == 0) return new ItemResult(key, ItemStatus.Refused, Refusal: ItemRefusal.Invalid);
        var status = Store(key, sent, change.Delete);
        return new ItemResult(key, status, head, head, rows[key].UpdatedAtMs);
    }

    public Task<Reply<HistoryState>> HistoryState(Caller caller)
    {
        if (all.Silent is not { } silent) return Answer(() => HistoryStateOf(caller));
        silent.TrySetResult();
        return new TaskCompletionSource<Reply<HistoryState>>().Task;
    }

    public ReadPage Read(Caller caller, ReadQuery query)
    {
        Check();
        BeforeRead?.Invoke();
        Reads.Add(query);
        var found = rows.Values.Where(row => row.Seq > query.After.Number
            && (query.Types is null || query.Types.Contains(row.Entity.Type) != query.ExceptTypes)
            && (query.Kind is RowKind.Any || (query.Kind is RowKind.Live) == (row.DeletedAtMs is null)));
        found = query.AfterKey is { } after
            ? found.Where(row => Compare(row.Entity, after) > 0).Order(Comparer<StoredRow>.Create((a, b) => Compare(a.Entity, b.Entity)))
            : found.OrderBy(row => row.Seq);
        var page = found.Take(Math.Min(query.Rows, PageRows) + 1).ToList();
        var more = page.Count > Math.Min(query.Rows, PageRows);
        if (more) page.RemoveAt(page.Count - 1);
        return new ReadPage(HistoryStateOf(caller), page, more);
    }

    /// <summary>Not while pages are what a test is about: it makes them small, or lets somebody write between two.</summary>
    public LiveDocuments Documents(Caller caller, LiveQuery query)
    {
        Check();
        var live = rows.Values.Where(row => row.DeletedAtMs is null && (query.Types?.Contains(row.Entity.Type) ?? true)).ToList();
        var fits = live.Count <= query.RowsMax && live.Sum(row => row.Data.Length) <= query.BytesMax;
        if (!fits || PageRows < Limits.PageRowsMax || BeforeRead is not null) return new LiveDocuments(HistoryStateOf(caller), null);
        var types = live.GroupBy(row => row.Entity.Type).Select(type => new TypeDocuments(type.Key, type.Count(), [Joined(type)]));
        return new LiveDocuments(HistoryStateOf(caller), [.. types]);
    }

    private static byte[] Joined(IEnumerable<StoredRow> rows) =>
        Encoding.UTF8.GetBytes(string.Join(',', rows.Select(row => Encoding.UTF8.GetString(row.Data.Span))));

    private static int Compare(EntityKey a, EntityKey b) =>
        string.CompareOrdinal(a.Type, b.Type) is var type and not 0 ? type : string.CompareOrdinal(a.Id, b.Id);

    public Task<Reply<StatusReport>> Status(Caller caller) => Answer(() => new StatusReport(
        HistoryStateOf(caller), 0, 0, rows.Values.Where(row => row.DeletedAtMs is null)
            .GroupBy(row => row.Entity.Type)
            .ToDictionary(group => group.Key, group => group.Count())));

    public Task<Reply<WriteAnswer>> Restore(RestoreRequest request) => Answer(() => WriteAnswer.Refuse(RequestRefusal.NotFound));

    public Task<Reply<bool>> Dismiss(DismissRequest request) => Answer(() => false);

    public Task<Reply<List<DeviceReport>>> Devices() => Answer(() => new List<DeviceReport>());

    public List<DeviceId> Admitted { get; } = [];

    public Task<Reply<bool>> Revoke(RevokeRequest request) => Answer(() =>
    {
        Admitted.Add(request.Device);
        return true;
    });

    public Task<Reply<long>> SignOutEverywhere() => Answer(() => NotBeforeMs);

    /// <summary>What an erase waits for.</summary>
    public Task BeforeErased { get; set; } = Task.CompletedTask;

    public Task<Reply<bool>> StartAbove(Revision last) => throw new NotSupportedException();

    public Task<Reply<UserReport>> Inspect() => throw new NotSupportedException();

    public Task<Reply<HistoryState>> Resync() => throw new NotSupportedException();

    public Task<Reply<int>> Disconnect() => throw new NotSupportedException();

    public async Task<Reply<HistoryState>> Erase()
    {
        await BeforeErased;
        return await Answer(() => HistoryStateOf(null));
    }

    public Task<RosterReply> Report(Roster roster) => Task.FromResult(new RosterReply("", true, [], null, null));

    public Task IssueTicket(TicketGrant ticket) => Task.CompletedTask;

    public Task<TicketGrant?> RedeemTicket(TicketRedemption redemption) => Task.FromResult<TicketGrant?>(null);

    private Task<Reply<T>> Answer<T>(Func<T> answer)
    {
        try
        {
            Check();
            return Task.FromResult(new Reply<T>(answer()));
        }
        catch (StoreUnavailableException away)
        {
            return Task.FromResult(new Reply<T>(default, new Fault(away.Reason, away.OutcomeUnknown)));
        }
        catch (Exception)
        {
            return Task.FromResult(new Reply<T>(default, new Fault(Fault.Bug, OutcomeUnknown: true)));
        }
    }

    private void Check()
    {
        if (all.Fails is { } failure) throw failure;
        if (all.Down) throw new StoreUnavailableException("unreachable", outcomeUnknown: false);
    }
}
