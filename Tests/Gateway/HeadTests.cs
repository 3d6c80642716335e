using System.Net;

namespace Mirubato.Tests.Gateway;

public sealed class HeadTests
{
    [Theory]
    [InlineData("/health")]
    [InlineData("/health/live")]
    [InlineData("/readyz")]
    [InlineData("/")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/api/sync/status")]
    [InlineData("/api/sync/pull")]
    [InlineData("/api/sync/export")]
    [InlineData("/api/goals")]
    [InlineData("/nowhere")]
    [InlineData("/sync/ws")]
    public async Task Where_GET_is_HEAD_is(string path)
    {
        await using var edge = await Edge.Start();
        using var got = await edge.Get(path);
        using var request = Edge.Request(HttpMethod.Head, path);
        using var head = await edge.Client.SendAsync(request);

        Assert.Equal((got.StatusCode, got.Content.Headers.ContentType), (head.StatusCode, head.Content.Headers.ContentType));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        using var after = await edge.Get("/health/live");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task Where_no_GET_is_HEAD_is_405()
    {
        await using var edge = await Edge.Start();
        using var request = Edge.Request(HttpMethod.Head, "/api/sync/push");
        using var head = await edge.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, head.StatusCode);
    }
}
