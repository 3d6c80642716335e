using System.Text.Json;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Domain;
using Mirubato.Tests.Support;
using Xunit.Abstractions;

namespace Mirubato.Tests.Engine;

/// <summary>
/// Two activations of one user that write at the same time, as Orleans may run them for a moment: nothing is lost, and nothing happens
/// twice.
/// <c>MIRUBATO_SEED</c> writes what that run wrote; how the writes meet is the database's.
/// </summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class TwoActivationsTests(PostgresCluster cluster, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Writers = 8;
    private const int WritesEach = 250;
    private const int TimesPrime = 10_007;

    private readonly FakeClock clock = new();
    private readonly UserId user = new($"twice-{Guid.NewGuid():n}");
    private PostgresStore store = null!;

    public async Task InitializeAsync()
    {
        store = PostgresStore.Open(await cluster.EmptyDatabase(GetType()));
        await store.Migrate(CancellationToken.None);
    }

    public Task DisposeAsync() => store.DisposeAsync().AsTask();

    [Fact]
    public async Task Two_thousand_writes_over_both_are_each_done_once()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("MIRUBATO_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"MIRUBATO_SEED={seed}");
        using var first = new PlainNode(store, clock);
        using var second = new PlainNode(store, clock);
        Coordinator[] both = [first.For(user), second.For(user)];

        var done = (await Task.WhenAll(Enumerable.Range(0, Writers).Select(i => Task.Run(() => Write(both, i, new Random(seed + i))))))
            .SelectMany(d => d)
            .ToList();

        Assert.Equal(Writers * WritesEach, done.Count);
        var snapshot = await store.Load(user, Revision.Origin, clock.NowMs, CancellationToken.None);
        AssertEveryRevisionOnce(done, snapshot.HistoryState.Last.Number);
        AssertKeyedOnce(done);
        await AssertStored(done);
        _ = new Ledger(snapshot);
    }

    /// <summary>A third of the writes go to both activations at once, under one key.</summary>
    private async Task<List<Done>> Write(Coordinator[] both, int writer, Random random)
    {
        var done = new List<Done>();
        for (var i = 0; i < WritesEach; i++)
        {
            var isDoubled = random.Next(3) == 0;
            var items = Enumerable.Range(0, 1 + random.Next(3))
                .Select(at => Edit(random, $"{writer}-{i}-{at}", (((writer * WritesEach) + i) * 3) + at))
                .DistinctBy(item => item.Id)
                .ToList();
            var caller = new Caller(user, new DeviceId("d" + writer), clock.NowMs);
            var request = Item.Request(caller, WriteScope.Push, isDoubled ? $"key-{writer}-{i}" : null, SyncToken.Start, items);
            var at = random.Next(2);
            var answers = await Task.WhenAll(Enumerable.Range(0, isDoubled ? 2 : 1).Select(n => Insist(both[(at + n) % 2], request)));
            done.Add(new Done(items, answers));
        }

        return done;
    }

    /// <summary>No two are of the same time: a tie announces the winner again, under a revision that no item was given.</summary>
    private Item Edit(Random random, string value, int number)
    {
        var (id, atMs) = ("g" + random.Next(25), clock.NowMs - (number * 7_919L % TimesPrime));
        return random.Next(10) == 0
            ? ModelServer.Delete("goal", id, atMs) with { Id = id }
            : ModelServer.Edit("goal", id, value, atMs) with { Id = id };
    }

    /// <summary>A writer that loses the fence too often gets the answer that nothing was written, and asks again.</summary>
    private static async Task<WriteAnswer> Insist(Coordinator coordinator, WriteRequest request)
    {
        while (true)
        {
            try
            {
                return await coordinator.Write(request, CancellationToken.None);
            }
            catch (StoreUnavailableException fault) when (fault is { Reason: "contention", OutcomeUnknown: false })
            {
            }
        }
    }

    private static void AssertEveryRevisionOnce(List<Done> done, long last)
    {
        var given = done.SelectMany(d => d.Executed.Items!).Where(IsWritten).Select(item => item.Seq).Order();
        Assert.Equal(Enumerable.Range(1, (int)last).Select(n => (long)n), given);
    }

    private static void AssertKeyedOnce(List<Done> done) => Assert.All(done, d =>
    {
        Assert.All(d.Answers, answer => Assert.Equal(RequestRefusal.None, answer.Refusal));
        Assert.Single(d.Answers, answer => !answer.Replayed);
        Assert.All(d.Answers, answer => Assert.True(answer.Body.Span.SequenceEqual(d.Executed.Body.Span)));
    });

    /// <summary>What is stored of each entity is the write that took its last revision.</summary>
    private async Task AssertStored(List<Done> done)
    {
        var page = await store.Read(user, null, new ReadQuery { Rows = 1_000 }, clock.NowMs, CancellationToken.None);
        var written = done.SelectMany(d => d.Executed.Items!.Zip(d.Items))
            .Where(pair => IsWritten(pair.First))
            .ToLookup(pair => pair.First.Entity);
        Assert.Equal(
            written.Select(entity => entity.Key).OrderBy(key => key.Id), page.Rows.Select(row => row.Entity).OrderBy(key => key.Id));
        foreach (var row in page.Rows)
        {
            var (result, item) = written[row.Entity].MaxBy(pair => pair.First.Seq);
            Assert.Equal((result.Seq, result.Status is ItemStatus.Deleted), (row.Seq, row.DeletedAtMs is not null));
            if (row.DeletedAtMs is null) Assert.Equal(TitleOf(item.Document), TitleOf(row.Data));
        }
    }

    private static bool IsWritten(ItemResult item) => item.Status is ItemStatus.Created or ItemStatus.Updated or ItemStatus.Deleted;

    private static string? TitleOf(ReadOnlyMemory<byte> document)
    {
        using var json = JsonDocument.Parse(document);
        return json.RootElement.GetProperty("title").GetString();
    }

    private sealed record Done(List<Item> Items, WriteAnswer[] Answers)
    {
        public WriteAnswer Executed => Answers.First(answer => !answer.Replayed);
    }
}
