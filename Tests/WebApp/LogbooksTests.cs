using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.WebApp;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.WebApp;

/// <summary>What is remembered of logbooks is as good as reading them, and bounded.</summary>
public sealed class LogbooksTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-logbooks-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(Logbooks.BytesMax, 1)]
    [InlineData(600, 0)] // Two entries take more.
    public async Task Sums_follow_every_change_whether_there_is_room_for_them_or_not(int bytesMax, int remembered)
    {
        using var logbooks = new Logbooks(bytesMax);
        await using var server = await LiveServer.StartWith(
            services => services.AddSingleton(logbooks), $"--Storage:SqlitePath={Path.Combine(directory, "sync.db")}");
        using var web = server.Device("ada", "web");
        await web.Push("""
            "repertoire":[{"scoreId":"a-b","updatedAt":"2026-01-01T00:00:00Z"}],"entries":[{"id":"one","duration":10,"scoreId":"a-b","updatedAt":"2026-01-01T00:00:00Z"},{"id":"two","duration":20,"scoreId":"a-b","goalIds":["g","g"],"updatedAt":"2026-01-01T00:00:00Z"}],"goals":[{"id":"g","title":"t","updatedAt":"2026-01-01T00:00:00Z"}]
            """);
        Assert.Equal((2, 30), await Sums(web));
        Assert.Equal((2, 30), await Sums(web));
        Assert.Equal(remembered, logbooks.Count);
        Assert.Equal(20, (await web.Ask(HttpMethod.Get, "/api/goals/g")).GetProperty("totalPracticeTime").GetInt32());

        await web.Push(
            "\"entries\":[{\"id\":\"one\",\"duration\":15,\"scoreId\":\"a-b\",\"updatedAt\":\"2026-01-02T00:00:00Z\"},{\"id\":\"three\",\"duration\":5,\"scoreId\":\"a-b\",\"updatedAt\":\"2026-01-02T00:00:00Z\"}]");
        Assert.Equal((3, 40), await Sums(web));
        await web.Push("\"entries\":[{\"id\":\"two\",\"deletedAt\":\"2026-01-03T00:00:00Z\"}]");
        Assert.Equal((2, 20), await Sums(web));
        await web.Push("\"goals\":[{\"id\":\"h\",\"title\":\"t\",\"updatedAt\":\"2026-01-03T00:00:00Z\"}]");
        Assert.Equal((2, 20), await Sums(web));
        using var other = server.Device("bob", "web");
        await other.Push("\"repertoire\":[{\"scoreId\":\"a-b\",\"updatedAt\":\"2026-01-01T00:00:00Z\"}]");
        Assert.Equal((0, 0), await Sums(other));

        using var erase = await web.Send(HttpMethod.Delete, "/api/sync/data", headers: ("Confirm", "erase"));
        erase.EnsureSuccessStatusCode();
        await web.Push(
            "\"repertoire\":[{\"scoreId\":\"c-d\",\"updatedAt\":\"2026-01-04T00:00:00Z\"}],\"entries\":[{\"id\":\"four\",\"duration\":7,\"scoreId\":\"c-d\",\"updatedAt\":\"2026-01-04T00:00:00Z\"}]");
        Assert.Equal((1, 7), await Sums(web));
    }

    private static async Task<(int Count, int Total)> Sums(HttpDevice device)
    {
        var item = (await device.Ask(HttpMethod.Get, "/api/repertoire")).GetProperty("items")[0];
        return (item.GetProperty("practiceCount").GetInt32(), item.GetProperty("totalPracticeTime").GetInt32());
    }
}
