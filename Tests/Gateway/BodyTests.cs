using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Mirubato.Gateway.Errors;
using Mirubato.Gateway.Http;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

public sealed class BodyTests
{
    internal static HttpRequestMessage Push(byte[] body, string? encoding = null)
    {
        var request = Edge.Request(HttpMethod.Post, "/api/sync/push");
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (encoding is not null) request.Content.Headers.ContentEncoding.Add(encoding);
        return request;
    }

    private static byte[] Padded(int bytes)
    {
        var body = new byte[bytes];
        Array.Fill(body, (byte)' ');
        """{"changes":{}}"""u8.CopyTo(body);
        return body;
    }

    internal static byte[] Packed(byte[] body, string encoding)
    {
        var to = new MemoryStream();
        Stream packer = encoding == "gzip"
            ? new GZipStream(to, CompressionLevel.Fastest)
            : new BrotliStream(to, CompressionLevel.Fastest);
        using (packer) packer.Write(body);
        return to.ToArray();
    }

    [Fact]
    public async Task A_body_of_32_MiB_is_taken_and_one_byte_more_is_not()
    {
        await using var edge = await Edge.Start();
        Assert.Equal(HttpStatusCode.OK, (await edge.Client.SendAsync(Push(Padded(Limits.BodyBytesMax)))).StatusCode);
        var answer = await edge.Raw(
            $"POST /api/sync/push HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {Edge.Token()}\r\nContent-Length: "
            + $"{Limits.BodyBytesMax + 1}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Contains("BODY_TOO_LARGE", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_33_MiB_without_a_length_is_cut_off()
    {
        await using var edge = await Edge.Start();
        var request = Push(Padded(33 * 1024 * 1024));
        request.Headers.TransferEncodingChunked = true;
        try
        {
            await (await edge.Client.SendAsync(request)).Problem(413, "BODY_TOO_LARGE");
        }
        catch (HttpRequestException)
        {
            // The server answered and closed while the client was still sending; some clients see only the closed connection.
        }

        Assert.Equal(HttpStatusCode.OK, (await edge.Get("/api/sync/status")).StatusCode);
        Assert.Null(edge.Engine.For("ada").LastRequest);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_packed_body_is_unpacked_and_its_limit_counts_unpacked_bytes(string encoding)
    {
        await using var edge = await Edge.Start();
        Assert.Equal(
            HttpStatusCode.OK, (await edge.Client.SendAsync(Push(Packed(Padded(Limits.BodyBytesMax), encoding), encoding))).StatusCode);
        await (
            await edge.Client.SendAsync(Push(Packed(Padded(Limits.BodyBytesMax + 1), encoding), encoding))).Problem(413, "BODY_TOO_LARGE");
    }

    [Theory]
    [InlineData("gzip", 400, "INVALID_ENCODING")]
    [InlineData("br", 400, "INVALID_ENCODING")]
    [InlineData("zstd", 415, "UNSUPPORTED_ENCODING")]
    public async Task A_body_that_is_not_packed_as_it_says_is_refused(string encoding, int status, string code)
    {
        await using var edge = await Edge.Start();
        await (await edge.Client.SendAsync(Push("""{"changes":{}}"""u8.ToArray(), encoding))).Problem(status, code);
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF8_are_refused()
    {
        await using var edge = await Edge.Start();
        await (
            await edge.Client.SendAsync(
                Push([.. "{\"changes\":{\"entries\":[{\"id\":\""u8, 0xC3, 0x28, .. "\"}]}}"u8]))).Problem(400, "INVALID_UTF8");
    }

    [Theory]
    [InlineData(Limits.BodyDepthMax, 200)]
    [InlineData(Limits.BodyDepthMax + 1, 400)]
    public async Task A_body_may_be_72_levels_deep(int depth, int status)
    {
        await using var edge = await Edge.Start();
        // changes, its object and the list of entries are three levels.
        var nested = depth - 3;
        var body = $$$"""{"changes":{"entries":[{{{new string('[', nested)}}}{{{new string(']', nested)}}}]}}""";
        var response = await edge.Post("/api/sync/push", body);
        Assert.Equal(status, (int)response.StatusCode);
        if (status != 400) return;
        Assert.Equal("$.changes.entries[0]", (await response.Problem(400, "INVALID_JSON")).GetProperty("path").GetString());
    }

    [Theory]
    [InlineData("push", """{"changes":{},"changes":{}}""", "$.changes", "DUPLICATE_MEMBER")]
    [InlineData("push", """{"changes":{"entries":[],"entries":[]}}""", "$.changes.entries", "DUPLICATE_MEMBER")]
    [InlineData("push", """{"lastSyncToken":"a","lastSyncToken":"b","changes":{}}""", "$.lastSyncToken", "DUPLICATE_MEMBER")]
    [InlineData("push", """{}""", "$.changes", "INVALID_SHAPE")]
    [InlineData("push", """[]""", "$", "INVALID_SHAPE")]
    [InlineData("push", """{"changes":[]}""", "$.changes", "INVALID_SHAPE")]
    [InlineData("push", """{"changes":{"entries":{}}}""", "$.changes.entries", "INVALID_SHAPE")]
    [InlineData("push", """{"changes":{"entries":[{"id":"a"},{"id":}]}}""", "$.changes.entries[1]", "INVALID_JSON")]
    [InlineData("push", """{"changes":{},"lastSyncToken":7}""", "$.lastSyncToken", "INVALID_SHAPE")]
    [InlineData("push", """{"changes":{},"lastSyncToken":"\ud800"}""", "$.lastSyncToken", "INVALID_SHAPE")]
    [InlineData("push", """{"changes":{}} x""", "$", "INVALID_JSON")]
    [InlineData("push", "", "$", "INVALID_JSON")]
    [InlineData("push", "{\"changes\":{}", "$", "INVALID_JSON")]
    [InlineData("batch", """{}""", "$.entities", "INVALID_SHAPE")]
    [InlineData("batch", """{"entities":{}}""", "$.entities", "INVALID_SHAPE")]
    [InlineData("batch", """{"entities":[],"entities":[]}""", "$.entities", "DUPLICATE_MEMBER")]
    [InlineData("pull", """{"limit":0}""", "$.limit", "INVALID_SHAPE")]
    [InlineData("pull", """{"limit":10001}""", "$.limit", "INVALID_SHAPE")]
    [InlineData("pull", """{"types":["goal","Nö"]}""", "$.types[1]", "INVALID_SHAPE")]
    [InlineData("pull", """{"since":{}}""", "$.since", "INVALID_SHAPE")]
    public async Task What_is_wrong_with_an_envelope_is_named_with_its_place(string endpoint, string body, string path, string code)
    {
        await using var edge = await Edge.Start();
        var problem = await (await edge.Post($"/api/sync/{endpoint}", body)).Problem(400, code);
        Assert.Equal(path, problem.GetProperty("path").GetString());
        Assert.Null(edge.Engine.For("ada").LastRequest);
    }

    [Theory]
    [InlineData(Limits.PushItemsMax, 200)]
    [InlineData(Limits.PushItemsMax + 1, 413)]
    public async Task A_push_holds_50000_items(int items, int status)
    {
        await using var edge = await Edge.Start();
        var body =
            $$$"""{"changes":{"entries":[{{{string.Join(',', Enumerable.Repeat("""{"id":"a"}""", items - 1))}}}],"goals":[{"id":"g"}]}}""";
        var response = await edge.Post("/api/sync/push", body);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 413) await response.Problem(413, "TOO_MANY_ITEMS");
    }

    [Theory]
    [InlineData(Limits.BatchItemsMax, 200)]
    [InlineData(Limits.BatchItemsMax + 1, 413)]
    public async Task A_batch_holds_1000_items(int items, int status)
    {
        await using var edge = await Edge.Start();
        var body = $$"""{"entities":[{{string.Join(',', Enumerable.Repeat("""{"type":"goal","id":"a","data":{}}""", items))}}]}""";
        var response = await edge.Post("/api/sync/batch", body);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 413) await response.Problem(413, "TOO_MANY_ITEMS");
    }

    [Fact]
    public async Task A_pull_needs_neither_body_nor_content_type()
    {
        await using var edge = await Edge.Start();
        var answer = await edge.Raw(
            $"POST /api/sync/pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {Edge.Token()}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_body_that_does_not_arrive_is_waited_for_only_so_long()
    {
        await using var edge = await Edge.Start("--Limits:BodySeconds=1");
        var answer = await edge.Raw(
            $"POST /api/sync/push HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {Edge.Token()}\r\nContent-Length: "
            + $"200000\r\n\r\n{new string(' ', 70_000)}");
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("BODY_TOO_SLOW", answer, StringComparison.Ordinal);
    }

    [Fact]
    public void The_budget_bounds_all_bodies_and_the_large_ones_of_a_user()
    {
        var budget = new BodyBudget(Options(bytes: 40L * 1024 * 1024));
        var ada = new UserId("ada");
        var leases = Enumerable.Range(0, 4).Select(_ => budget.Lease(ada)).ToList();
        foreach (var lease in leases) lease.Grow(BodyBudget.LargeBytes + 1);
        Assert.Equal(
            Problem.TooManyLargeBodies,
            Assert.Throws<RequestRefusedException>(() => budget.Lease(ada).Grow(BodyBudget.LargeBytes + 1)).Problem);
        budget.Lease(ada).Grow(BodyBudget.LargeBytes);
        using (var other = budget.Lease(new UserId("bob")))
        {
            other.Grow(30L * 1024 * 1024);
            Assert.Equal(
                Problem.BodyBudgetUsedUp,
                Assert.Throws<RequestRefusedException>(() => budget.Lease(new UserId("eve")).Grow(6L * 1024 * 1024)).Problem);
        }

        foreach (var lease in leases) lease.Dispose();
        Assert.Equal(BodyBudget.LargeBytes, budget.TakenBytes);
        using var again = budget.Lease(ada);
        again.Grow(BodyBudget.LargeBytes + 1);
    }

    [Fact]
    public async Task What_a_body_took_of_the_budget_is_given_back()
    {
        await using var edge = await Edge.Start();
        await edge.Client.SendAsync(Push(Padded(2 * 1024 * 1024)));
        await edge.Client.SendAsync(Push(Encoding.UTF8.GetBytes("{" + new string(' ', 3 * 1024 * 1024))));
        var budget = (BodyBudget)edge.Services.GetService(typeof(BodyBudget))!;
        Assert.True(SpinWait.SpinUntil(() => budget.TakenBytes == 0, TimeSpan.FromSeconds(5)));
    }

    private static Mirubato.Gateway.Options.GatewayOptions Options(long bytes) => new(
        new(Edge.Secret, null, null, null, false),
        new(null, "x.db"),
        new([], false),
        new() { BodyBudgetBytes = bytes },
        new Quotas(),
        [],
        new(false, 120, 120));
}
