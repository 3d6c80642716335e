using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// An engine of one user that does what the test says, when it says so: what is stored, what is announced and when, how long a read takes,
/// what a write is answered. So the order in which these meet is the test's, and not the machine's.
/// </summary>
internal sealed class ScriptedEngine(IAnswerFormat format, IServiceProvider services)
    : ISyncCoordinatorGrain, IUserStatusGrain, IUserConnectionsGrain, IUserReader, IReadiness
{
    private readonly Lock gate = new();
    private readonly Dictionary<EntityKey, StoredRow> rows = [];
    private readonly ConcurrentQueue<Func<WriteRequest, Task<WriteAnswer>>> script = new();
    private readonly Epoch epoch = new(Guid.NewGuid());
    private long head;
    private (int Count, TaskCompletionSource Met)? awaited;

    /// <summary>Reads wait for it.</summary>
    public Task Reading { get; set; } = Task.CompletedTask;

    /// <summary>What was read waits for it.</summary>
    public Task Answering { get; set; } = Task.CompletedTask;

    public int Reads { get; private set; }


    /// <summary>Armed before the act.</summary>
    public Task HasRead(int count)
    {
        awaited = (count, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return awaited.Value.Met.Task;
    }

    public Exception? Fails { get; set; }

    public long NotBeforeMs { get; set; }

    public SyncToken Head => new(epoch, new Revision(head));

    public static EntityKey Goal(string id) => new("goal", id);

    public Task<Reply<WriteAnswer>> RestoreVersion(RestoreVersionRequest request) => throw new NotSupportedException();

    public Task<Reply<RewindReport>> Rewind(RewindRequest request) => throw new NotSupportedException();

    public ValueTask<List<VersionReport>> History(HistoryRequest request, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<List<VersionReport>> Versions(VersionsRequest request, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>The next write is answered by this.</summary>
    public void Next(Func<WriteRequest, Task<WriteAnswer>> answer) => script.Enqueue(answer);

    /// <summary>Stores a revision without an announcement.</summary>
    public StoredRow Put(string id, string value = "v")
    {
        lock (gate)
        {
            head++;
            var key = Goal(id);
            var version = rows.TryGetValue(key, out var before) ? before.Version + 1 : head;
            return rows[key] = new StoredRow(
                key, head, version, 1_700_000_000_000 + head, null, Encoding.UTF8.GetBytes($$"""{"id":"{{id}}","title":"{{value}}"}"""));
        }
    }

    public StoredRow Stored(string id)
    {
        lock (gate) return rows[Goal(id)];
    }

    /// <summary>The connections as they were last reported.</summary>
    public Roster? Roster { get; private set; }

    /// <summary>Before a report is answered.</summary>
    public Func<Roster, RosterReply>? Reporting { get; set; }

    /// <summary>Before a ticket is redeemed; then it counts.</summary>
    public Func<Task>? Redeeming { get; set; }

    /// <summary>Tells the sockets, as of a commit.</summary>
    public void Announce(string? by, params StoredRow[] of) => Tell(new UserNews(new UserId(ScriptedStage.User))
    {
        Announcement = new Announcement(
            epoch, new Revision(of[0].Seq - 1), new Revision(of[^1].Seq), [.. of.Select(row => new AnnouncedRow(row, by, IsNew: false))]),
    });

    public void Tell(UserNews news) => services.GetRequiredService<IGatewayObserver>().Tell(news).Wait();

    public WriteAnswer Answer(WriteRequest request, ItemStatus status, StoredRow row)
    {
        List<ItemResult> items =
            [new(row.Entity, status, row.Seq, row.Version, row.UpdatedAtMs, Server: status is ItemStatus.Conflict ? row.Data : default)];
        var (code, body) = format.Write(request, new WriteOutcome(true, items, SyncToken.Start));
        return new WriteAnswer(RequestRefusal.None, code, body, Replayed: false, items);
    }

    public async Task<Reply<WriteAnswer>> Write(WriteRequest request)
    {
        if (!script.TryDequeue(out var next)) throw new InvalidOperationException("A write that the script does not know.");
        try
        {
            return new Reply<WriteAnswer>(await next(request));
        }
        catch (StoreUnavailableException away)
        {
            return new Reply<WriteAnswer>(null, new Fault(away.Reason, away.OutcomeUnknown));
        }
    }

    public Task<Reply<HistoryState>> HistoryState(Caller caller) => Task.FromResult(new Reply<HistoryState>(Now()));

    public ValueTask<HistoryState?> Confirmed(Caller caller, CancellationToken cancel) => new((HistoryState?)null);

    public ValueTask<WriteAnswer?> Replayed(ReceiptQuery query, CancellationToken cancel) => new((WriteAnswer?)null);

    public ValueTask<StatusReport?> ConfirmedStatus(Caller caller, CancellationToken cancel) => new((StatusReport?)null);

    public ValueTask<HistoryState> HistoryState(Caller caller, CancellationToken cancel) => new(Now());

    public async ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel)
    {
        await Reading;
        if (Fails is { } failure) throw failure;
        ReadPage page;
        lock (gate) page = new ReadPage(
            Now(), [.. rows.Values.Where(row => row.Seq > query.After.Number).OrderBy(row => row.Seq)], More: false);
        Reads++;
        if (awaited is { } one && Reads >= one.Count) one.Met.TrySetResult();
        await Answering;
        return page;
    }

    public ValueTask<LiveDocuments> Documents(Caller caller, LiveQuery query, CancellationToken cancel) =>
        throw new NotSupportedException();

    public ValueTask<bool> Ready(CancellationToken cancel) => new(true);

    public Task<RosterReply> Report(Roster roster)
    {
        Roster = roster;
        return Task.FromResult(Reporting?.Invoke(roster) ?? new RosterReply("", IsKnown: true, [], null, null));
    }

    public Task IssueTicket(TicketGrant ticket) => Task.CompletedTask;

    public async Task<TicketGrant?> RedeemTicket(TicketRedemption redemption)
    {
        await (Redeeming?.Invoke() ?? Task.CompletedTask);
        return new TicketGrant(redemption.Hash, null, 0, long.MaxValue, long.MaxValue);
    }

    public ValueTask<Dictionary<UserId, UserState>> States(List<UserId> users, CancellationToken cancel) =>
        new(users.ToDictionary(user => user, _ => new UserState(Now(), [], 0)));

    public ValueTask<byte[]> TicketKey(CancellationToken cancel) => new(new byte[32]);

    public ValueTask<List<ConflictReport>> Conflicts(UserId user, string? after, int limit, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<Reply<StatusReport>> Status(Caller caller) => throw new NotSupportedException();

    public Task<Reply<WriteAnswer>> FindReceipt(ReceiptQuery query) => throw new NotSupportedException();

    public Task<Reply<WriteAnswer>> Restore(RestoreRequest request) => throw new NotSupportedException();

    public Task<Reply<bool>> Dismiss(DismissRequest request) => throw new NotSupportedException();

    public Task<Reply<List<DeviceReport>>> Devices() => throw new NotSupportedException();

    public Task<Reply<bool>> Revoke(RevokeRequest request) => throw new NotSupportedException();

    public Task<Reply<long>> SignOutEverywhere() => throw new NotSupportedException();

    public Task<Reply<HistoryState>> Erase() => throw new NotSupportedException();

    public Task<Reply<bool>> StartAbove(Revision last) => throw new NotSupportedException();

    public Task<Reply<UserReport>> Inspect() => throw new NotSupportedException();

    public Task<Reply<HistoryState>> Resync() => throw new NotSupportedException();

    public Task<Reply<int>> Disconnect() => throw new NotSupportedException();

    private HistoryState Now()
    {
        lock (gate) return new HistoryState(
            epoch, new Revision(1), new Revision(head), Revision.Origin, 0, 0, NotBeforeMs, 0, DeviceRevoked: false);
    }
}
