using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Domain;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>
/// What coordinators promise over every store. Several nodes over one store are activations that Orleans should not have.
/// </summary>
public abstract partial class EngineContract : IAsyncLifetime
{
    protected static readonly CancellationToken Cancel = CancellationToken.None;

    private protected virtual FakeClock Clock { get; } = new();

    private protected UserId User { get; } = new($"user-{Guid.NewGuid():n}");

    private protected abstract IUserStore Store { get; }

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    /// <summary>A node of its own memory over the shared store.</summary>
    private protected abstract INode Node(IUserStore? store = null, Quotas? quotas = null);

    private protected Coordinator Coordinator(IUserStore? store = null, Quotas? quotas = null) => Node(store, quotas).For(User);

    private protected Caller Caller(string? device = "d1", long? issuedAtMs = null) =>
        new(User, device is null ? null : new DeviceId(device), issuedAtMs ?? Clock.NowMs);

    private protected WriteRequest Push(string? key, params Item[] items) => PushBy("d1", key, items);

    private protected WriteRequest PushBy(string? device, string? key, params Item[] items) =>
        Item.Request(Caller(device), WriteScope.Push, key, SyncToken.Start, items);

    private protected WriteRequest Batch(SyncToken cursor, params Item[] items) =>
        Item.Request(Caller(), WriteScope.Batch, null, cursor, items);

    private protected Item Goal(string id, string value = "v", long? atMs = null) =>
        ModelServer.Edit("goal", id, value, atMs ?? Clock.NowMs);

    private protected static async Task<ItemResult> One(ValueTask<WriteAnswer> answer) => Assert.Single((await answer).Items!);

    private protected async Task<IReadOnlyList<StoredRow>> Everything() =>
        (await Store.Read(User, null, new ReadQuery { Rows = 100_000 }, Clock.NowMs, Cancel)).Rows;
}
