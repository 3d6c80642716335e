using Microsoft.Extensions.DependencyInjection;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.EndToEnd;

public abstract partial class HttpContract
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Paging_from_the_start_comes_to_an_end_in_a_bumped_epoch_too(int limit) // 36, 40
    {
        var device = Device("d");
        await device.Push($"\"goals\":[{string.Join(',', Enumerable.Range(0, 7).Select(i => $"{{\"id\":\"g{i}\",\"updatedAt\":1}}"))}]");
        var before = (await device.Pull()).Text("syncToken");
        await store.Server.Services.GetRequiredService<IStoreUpkeep>().BumpEpochs(CancellationToken.None);
        Assert.True((await device.Pull(before)).GetProperty("reset").GetBoolean());

        var seen = new List<string?>();
        string? token = null;
        for (var more = true; more;)
        {
            var page = await device.Pull(token, limit);
            Assert.False(page.TryGetProperty("reset", out _));
            seen.AddRange(page.List("goals").Select(g => g.Text("id")));
            (token, more) = (page.Text("syncToken"), page.GetProperty("hasMore").GetBoolean());
        }

        Assert.Equal(Enumerable.Range(0, 7).Select(i => "g" + i), seen);
        Assert.Equal("created", (await device.Push("\"goals\":[{\"id\":\"after\"}]")).Only("results").Text("status"));
        Assert.Equal("after", (await device.Pull(token)).Only("goals").Text("id"));
    }
}
