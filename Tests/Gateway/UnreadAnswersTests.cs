using System.Globalization;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Gateway;

/// <summary>What clients cost that ask and do not read. Alone, because what is measured is the whole process.</summary>
[Collection("alone")]
public sealed class UnreadAnswersTests : IDisposable
{
    private const int Documents = 96;
    private const int AnswerBytes = Documents * 200_000;

    private readonly WatchedClock clock = new();
    private readonly List<RawConnection> connections = [];

    public void Dispose() => connections.ForEach(connection => connection.Dispose());

    [Theory]
    [InlineData("/api/sync/pull", 500)] // All rows are at hand.
    [InlineData("/api/sync/pull", 12)] // Streamed, page by page.
    [InlineData("/api/sync/pull?limit=10000", 12)]
    [InlineData("/api/sync/export", 12)]
    public async Task An_answer_that_is_not_read_costs_a_step_until_it_is_cut(string path, int pageRows)
    {
        await using var edge = await Edge.StartAt(clock);
        var users = Enumerable.Range(0, path.EndsWith("export", StringComparison.Ordinal) ? 8 : 2).Select(i => $"user-{i}").ToList();
        foreach (var user in users) Fill(edge, user, pageRows);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 8; i++) connections.Add(await RawConnection.Ask(edge, path, users[i % users.Count]));
        Assert.True(SpinWait.SpinUntil(() => clock.Waiting(Limits.AnswerStalledMs) == 8, TimeSpan.FromSeconds(60)));
        AssertCostsAStep(before);
        await Cut(AnswerBytes);
    }

    [Fact]
    public async Task An_answer_to_a_push_that_is_not_read_costs_a_step_beside_itself()
    {
        await using var edge = await Edge.StartAt(clock);
        edge.Engine.For("ada").AnswerBody = new byte[Limits.AnswerBytesMax];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 8; i++)
        {
            connections.Add(await RawConnection.Open(edge));
            await connections[i].Post("/api/sync/push", "Content-Length: 14");
            await connections[i].Send("""{"changes":{}}""");
        }

        Assert.True(SpinWait.SpinUntil(() => clock.Waiting(Limits.AnswerStalledMs) == 8, TimeSpan.FromSeconds(60)));
        AssertCostsAStep(before);
        await Cut(Limits.AnswerBytesMax);
    }

    /// <summary>A step, and what a connection takes.</summary>
    private static void AssertCostsAStep(long before)
    {
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / 8;
        Assert.True(each < 512 * 1024, $"{each} bytes each");
    }

    /// <summary>A minute at a time, since the system's buffers may still take some of an answer.</summary>
    private async Task Cut(int bytes)
    {
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(Limits.AnswerStalledMs));
                return connections.TrueForAll(connection => connection.IsReset);
            },
            TimeSpan.FromSeconds(60)));
        foreach (var connection in connections) Assert.InRange((await connection.ReadToEnd()).Length, 0, bytes - 1);
    }

    private static void Fill(Edge edge, string user, int pageRows)
    {
        var of = edge.Engine.For(user);
        of.PageRows = pageRows;
        for (var i = 0; i < Documents; i++)
        {
            var id = i.ToString(CultureInfo.InvariantCulture);
            of.Put("goal", id, $$"""{"id":"{{id}}","notes":"{{new string('n', 200_000)}}"}""");
        }
    }
}
