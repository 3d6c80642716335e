using System.Globalization;
using System.Net;
using System.Text.Json;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Silo;
using Xunit.Abstractions;

namespace Mirubato.Tests.EndToEnd;

/// <summary>
/// A device has spoiled many entities. What it did is taken back while others go on editing, by a server that is killed on the way.
/// </summary>
public sealed class RewindOfManyTests(ITestOutputHelper output)
{
    private const int All = 5_000;
    private const int Spoiled = 2_000;
    private const int EditEvery = 9;
    private const int PerRequest = 1_000;
    private const int KilledAtPage = 3;

    [Fact]
    public async Task What_one_device_did_is_taken_back_across_a_kill_and_everybody_elses_edits_stay()
    {
        var folder = new SqliteFolder();
        try
        {
            string to, token;
            RewindPages pages;
            await using (var silo = await SiloProcess.Start($"--Storage:SqlitePath={folder.Database}"))
            {
                await Push(silo, "laptop", All, "\"left\":1,\"right\":1");
                to = await NextMillisecond(silo);
                await Push(silo, "bad", Spoiled, "\"left\":2,\"right\":1");
                token = await Token(silo);
                pages = new RewindPages(to);
                var edits = Edit(silo, token, 0, Spoiled / 2);
                for (var page = 1; page < KilledAtPage; page++) await pages.Next(silo);
                await edits;
                var cut = pages.Next(silo);
                silo.Kill();
                await Assert.ThrowsAnyAsync<HttpRequestException>(() => cut);
            }

            await using (var silo = await SiloProcess.Start($"--Storage:SqlitePath={folder.Database}"))
            {
                var edits = Edit(silo, token, Spoiled / 2, Spoiled);
                while (await pages.Next(silo)) { }
                await edits;
                output.WriteLine($"{pages.Count} pages, {pages.Items} entities named");
                var head = await AssertTakenBack(silo);

                var again = new RewindPages(to);
                while (await again.Next(silo)) { }
                Assert.Equal(0, again.Items);
                Assert.Equal(head, await AssertTakenBack(silo));
            }
        }
        finally
        {
            folder.Delete();
        }
    }

    private static async Task<long> AssertTakenBack(SiloProcess silo)
    {
        using var reader = new HttpDevice(silo.Url, "ada", null);
        var pull = await reader.Pull();
        var goals = pull.List("goals");
        Assert.Equal(All, goals.Count);
        foreach (var goal in goals)
        {
            var number = int.Parse(goal.Text("id")![1..], CultureInfo.InvariantCulture);
            var right = number < Spoiled && number % EditEvery == 0 ? 2 : 1;
            Assert.Equal(
                (number, 1, right), (number, goal.GetProperty("left").GetInt32(), goal.GetProperty("right").GetInt32()));
        }

        return pull.GetProperty("lastSeq").GetInt64();
    }

    /// <summary>Others edit the other member of what was spoiled, one after the other, each on the spoiled version.</summary>
    private static async Task Edit(SiloProcess silo, string token, int from, int until)
    {
        using var phone = new HttpDevice(silo.Url, "ada", "phone");
        for (var i = from; i < until; i++)
        {
            if (i % EditEvery != 0) continue;
            // The first version of an entity is the revision that created it; the device made the next.
            var goal = Goal(i, $"\"left\":2,\"right\":2,\"baseVersion\":{i + 2}");
            var body = $"{{\"changes\":{{\"goals\":[{goal}]}},\"lastSyncToken\":\"{token}\"}}";
            using var answer = await phone.Send(HttpMethod.Post, "/api/sync/push", body, $"edit-{i}", ("X-Sync-Merge", "1"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var said = await answer.Json();
            var status = said.Only("results").Text("status");
            Assert.True(status is "updated" or "merged", $"The edit {body} was answered {said}.");
        }
    }

    private static async Task Push(SiloProcess silo, string name, int count, string members)
    {
        using var device = new HttpDevice(silo.Url, "ada", name);
        foreach (var some in Enumerable.Range(0, count).Chunk(PerRequest))
            await device.Push($"\"goals\":[{string.Join(',', some.Select(i => Goal(i, members)))}]");
    }

    private static string Goal(int number, string members) =>
        $"{{\"id\":\"g{number:d4}\",{members},\"updatedAt\":{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}}}";

    private static async Task<string> Token(SiloProcess silo)
    {
        using var phone = new HttpDevice(silo.Url, "ada", "phone");
        return (await phone.Pull()).Text("syncToken")!;
    }

    /// <summary>A time that everything so far arrived before, and nothing later will share.</summary>
    private static async Task<string> NextMillisecond(SiloProcess silo)
    {
        using var reader = new HttpDevice(silo.Url, "ada", null);
        var now = (await reader.Pull()).Text("timestamp")!;
        while ((await reader.Pull(limit: 1)).Text("timestamp") == now) { }
        return now;
    }

    /// <summary>One rewind, page by page. A page that was not answered is asked for again.</summary>
    private sealed class RewindPages(string to)
    {
        private string? after;

        public int Count { get; private set; }

        public int Items { get; private set; }

        /// <summary>Whether there is another.</summary>
        public async Task<bool> Next(SiloProcess silo)
        {
            using var laptop = new HttpDevice(silo.Url, "ada", "laptop");
            var answer = await laptop.Ask(HttpMethod.Post, "/api/sync/rewind", JsonSerializer.Serialize(new { to, device = "bad", after }));
            Count++;
            Items += answer.List("items").Count;
            after = answer.TryGetProperty("next", out var next) ? next.GetString() : null;
            return answer.GetProperty("hasMore").GetBoolean();
        }
    }
}
