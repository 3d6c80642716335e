using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Errors;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Gateway;

/// <summary>What the bodies of one user may take, and for how long.</summary>
public sealed class BodyBudgetTests
{
    private const int Step = BodyBudget.FreeBytes;

    [Fact]
    public void One_user_holds_a_quarter_of_the_budget_and_not_a_byte_more()
    {
        var budget = new BodyBudget(Options(256L * 1024 * 1024));
        var ada = new UserId("ada");
        var leases = Enumerable.Range(0, 64).Select(_ => budget.Lease(ada)).ToList();
        foreach (var lease in leases) lease.Grow(BodyBudget.LargeBytes);
        Assert.Equal(256L * 1024 * 1024 / Limits.BodyBudgetParts, budget.TakenBytes);

        Assert.Equal(
            Problem.TooManyLargeBodies, Assert.Throws<RequestRefusedException>(() => leases[0].Grow(BodyBudget.LargeBytes + 1)).Problem);
        Assert.Equal(64L * 1024 * 1024, budget.TakenBytes);
        using var bob = budget.Lease(new UserId("bob"));
        bob.Grow(Limits.BodyBytesMax);

        foreach (var lease in leases) lease.Dispose();
        Assert.Equal(Limits.BodyBytesMax, budget.TakenBytes);
        using var again = budget.Lease(ada);
        again.Grow(64L * 1024 * 1024);
    }

    [Fact]
    public void The_smallest_budget_has_room_for_one_body_of_a_user()
    {
        var budget = new BodyBudget(Options(40L * 1024 * 1024));
        using var lease = budget.Lease(new UserId("ada"));
        lease.Grow(Limits.BodyBytesMax + 1);
        using var second = budget.Lease(new UserId("ada"));
        Assert.Equal(Problem.TooManyLargeBodies, Assert.Throws<RequestRefusedException>(() => second.Grow(Step)).Problem);
    }

    [Fact]
    public async Task Bodies_of_one_user_that_do_not_end_leave_the_others_their_room()
    {
        await using var edge = await Edge.Start($"--Limits:BodyBudgetBytes={160L * 1024 * 1024}", "--Limits:LargeBodiesPerUser=100");
        var budget = edge.Services.GetRequiredService<BodyBudget>();
        var bomb = UnfinishedGzip(9 * 1024 * 1024);
        using var first = await Drip(edge, bomb);
        using var second = await Drip(edge, bomb);
        Assert.True(SpinWait.SpinUntil(() => budget.TakenBytes == 32L * 1024 * 1024, TimeSpan.FromSeconds(30)));

        // The third gets as far as 8 MiB, which makes 40 together: a quarter.
        using var third = await Drip(edge, bomb);
        var answer = await third.ReadToEnd().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.StartsWith("HTTP/1.1 429", answer, StringComparison.Ordinal);
        Assert.Contains("TOO_MANY_LARGE_BODIES", answer, StringComparison.Ordinal);
        Assert.Contains("Retry-After: 2", answer, StringComparison.Ordinal);

        var body = new byte[Limits.BodyBytesMax];
        Array.Fill(body, (byte)' ');
        """{"changes":{}}"""u8.CopyTo(body);
        var request = Edge.Request(HttpMethod.Post, "/api/sync/push", user: "bob");
        request.Content = new ByteArrayContent(body);
        Assert.Equal(HttpStatusCode.OK, (await edge.Client.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task A_large_body_may_stand_still_for_10_seconds_and_no_longer()
    {
        var clock = new WatchedClock();
        await using var edge = await Edge.StartAt(clock);
        var budget = edge.Services.GetRequiredService<BodyBudget>();
        using var connection = await RawConnection.Open(edge);
        await connection.Post("/api/sync/push", "Content-Length: 200000");
        await connection.Send(new string(' ', Step));
        await Eventually.Holds(() => budget.TakenBytes == 2 * Step && clock.Waiting(Limits.BodyStalledMs) == 1);

        // Something arrived, so the time starts again.
        clock.Advance(TimeSpan.FromMilliseconds(Limits.BodyStalledMs - 1));
        await connection.Send(new string(' ', Step));
        await Eventually.Holds(() => budget.TakenBytes == 200_000 && clock.Waiting(Limits.BodyStalledMs) == 1);
        clock.Advance(TimeSpan.FromMilliseconds(Limits.BodyStalledMs - 1));
        var answer = connection.ReadToEnd();
        Assert.Equal(200_000, budget.TakenBytes);
        Assert.False(answer.IsCompleted);

        clock.Advance(TimeSpan.FromMilliseconds(1));
        var text = await answer.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.StartsWith("HTTP/1.1 408", text, StringComparison.Ordinal);
        Assert.Contains("BODY_TOO_SLOW", text, StringComparison.Ordinal);
        Assert.True(SpinWait.SpinUntil(() => budget.TakenBytes == 0, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_large_body_that_keeps_coming_is_still_ended_in_time()
    {
        var clock = new WatchedClock();
        await using var edge = await Edge.StartAt(clock, "--Limits:BodySeconds=15");
        var budget = edge.Services.GetRequiredService<BodyBudget>();
        using var connection = await RawConnection.Open(edge);
        await connection.Post("/api/sync/push", "Content-Length: 500000");
        foreach (var arrived in (int[])[1, 2])
        {
            await connection.Send(new string(' ', Step));
            Assert.True(SpinWait.SpinUntil(() => budget.TakenBytes == 2 * arrived * Step, TimeSpan.FromSeconds(30)));
            clock.Advance(TimeSpan.FromSeconds(7.5));
        }

        Assert.StartsWith("HTTP/1.1 408", await connection.ReadToEnd().WaitAsync(TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3_000_000L)]
    [InlineData(null)]
    public async Task A_buffer_is_at_most_twice_what_has_arrived(long? length)
    {
        var http = new DefaultHttpContext();
        var body = new CountedBody(3_000_000);
        (http.Request.Body, http.Request.ContentLength) = (body, length);
        var options = Options(256L * 1024 * 1024);
        using var rates = new UserRates(options.Limits);
        await new RequestBodies(new BodyBudget(options), rates, options, TimeProvider.System).Read(http, new UserId("ada"));
        Assert.Equal(3_000_000, body.Arrived);
        Assert.All(body.Buffers, buffer => Assert.InRange(buffer.Bytes, 0, Math.Max(4 * 1024, 2 * buffer.Arrived)));
    }

    private static async Task<RawConnection> Drip(Edge edge, byte[] body)
    {
        var connection = await RawConnection.Open(edge);
        await connection.Post("/api/sync/push", $"Content-Encoding: gzip\r\nContent-Length: {body.Length + 100_000}");
        await connection.Send(body);
        return connection;
    }

    private static byte[] UnfinishedGzip(int bytes)
    {
        var to = new MemoryStream();
        using var packer = new GZipStream(to, CompressionLevel.Fastest);
        packer.Write(new byte[bytes]);
        packer.Flush();
        return to.ToArray();
    }

    private static GatewayOptions Options(long bytes) => new(
        new(Edge.Secret, null, null, null, false),
        new(null, "x.db"),
        new([], false),
        new() { BodyBudgetBytes = bytes },
        new Quotas(),
        [],
        new(false, 120, 120));

    /// <summary>Arrives in pieces of 1,000 bytes, and notes how large the buffer is that each is read into.</summary>
    private sealed class CountedBody(int bytes) : MemoryStream
    {
        public int Arrived { get; private set; }

        public List<(int Arrived, int Bytes)> Buffers { get; } = [];

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Buffers.Add((Arrived, Arrived + buffer.Length));
            var now = Math.Min(Math.Min(1_000, buffer.Length), bytes - Arrived);
            buffer.Span[..now].Fill((byte)' ');
            Arrived += now;
            return new(now);
        }
    }
}
