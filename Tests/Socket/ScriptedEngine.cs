using System.Collections.Concurrent;
using System.Text;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// An engine of one user that does what the test says, when it says so: what is stored, what is announced and when, how long a read takes,
/// what a write is answered. So the order in which these meet is the test's, and not the machine's.
/// </summary>
internal sealed class ScriptedEngine(IAnswerFormat format) : ISyncCoordinators, ISyncCoordinator, IReadiness
{
    private readonly Lock gate = new();
    private readonly Dictionary<EntityKey, StoredRow> rows = [];
    private readonly ConcurrentQueue<Func<WriteRequest, Task<WriteAnswer>>> script = new();
    private readonly Epoch epoch = new(Guid.NewGuid());
    private IRoom? room;
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

    /// <summary>The next write is answered by this.</summary>
    public void Next(Func<WriteRequest, Task<WriteAnswer>> answer) => script.Enqueue(answer);

    /// <summary>Stores a revision, told to nobody.</summary>
    public StoredRow Put(string id, string value = "v")
    {
        lock (gate)
        {
            head++;
            var key = Goal(id);
            var version = rows.TryGetValue(key, out var before) ? before.Version + 1 : head;
            return rows[key] = new StoredRow(key, head, version, 1_700_000_000_000 + head, null, Encoding.UTF8.GetBytes($$"""{"id":"{{id}}","title":"{{value}}"}"""));
        }
    }

    public StoredRow Stored(string id)
    {
        lock (gate) return rows[Goal(id)];
    }

    /// <summary>Tells the room, as of a commit made here.</summary>
    public void Announce(string? by, params StoredRow[] of) =>
        room!.Announce(new Announcement(epoch, new Revision(of[0].Seq - 1), new Revision(of[^1].Seq), [.. of.Select(row => new AnnouncedRow(row, by))]));

    public WriteAnswer Answer(WriteRequest request, ItemStatus status, StoredRow row)
    {
        IReadOnlyList<ItemResult> items = [new(row.Entity, status, row.Seq, row.Version, row.UpdatedAtMs, Server: status is ItemStatus.Conflict ? row.Data : default)];
        var (code, body) = format.Write(request, new WriteOutcome(true, items, SyncToken.Start));
        return new WriteAnswer(RequestRefusal.None, code, body, Replayed: false, items);
    }

    public ISyncCoordinator For(UserId user) => this;

    public async ValueTask<WriteAnswer> Write(WriteRequest request, CancellationToken cancel) =>
        script.TryDequeue(out var next) ? await next(request).WaitAsync(cancel) : throw new InvalidOperationException("A write that the script does not know.");

    public ValueTask<Standing> Standing(Caller caller, CancellationToken cancel) => new(Now());

    public async ValueTask<ReadPage> Read(Caller caller, ReadQuery query, CancellationToken cancel)
    {
        await Reading;
        if (Fails is { } failure) throw failure;
        ReadPage page;
        lock (gate) page = new ReadPage(Now(), [.. rows.Values.Where(row => row.Seq > query.After.Number).OrderBy(row => row.Seq)], More: false);
        Reads++;
        if (awaited is { } one && Reads >= one.Count) one.Met.TrySetResult();
        await Answering;
        return page;
    }

    public void Attach(IRoom with) => room = with;

    public void Detach(IRoom with)
    {
    }

    public ValueTask<bool> Ready(CancellationToken cancel) => new(true);

    public ValueTask<StatusReport> Status(Caller caller, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<ConflictReport>> Conflicts(string? after, int limit, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<WriteAnswer> Restore(Caller caller, string conflictId, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<bool> Dismiss(string conflictId, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<DeviceReport>> Devices(CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<bool> Admit(DeviceId device, bool allowed, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<long> SignOutEverywhere(CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask<Standing> Erase(CancellationToken cancel) => throw new NotSupportedException();

    private Standing Now()
    {
        lock (gate) return new Standing(epoch, new Revision(1), new Revision(head), Revision.Origin, 0, 0, NotBeforeMs, 0, DeviceRevoked: false);
    }
}
