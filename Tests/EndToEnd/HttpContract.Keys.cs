using System.Net;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

public abstract partial class HttpContract
{
    [Fact]
    public async Task Eight_simultaneous_requests_with_one_key_execute_once_and_answer_alike() // 21
    {
        var device = Device("d");
        var body = $"{{\"changes\":{{\"entries\":[{Entry("e", "x")}]}}}}";
        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => device.Send(HttpMethod.Post, "/api/sync/push", body, "k")));
        var bodies = await Task.WhenAll(responses.Select(r => r.Content.ReadAsStringAsync()));

        Assert.All(responses, r => Assert.Equal(HttpStatusCode.OK, r.StatusCode));
        Assert.Single(bodies.Distinct());
        Assert.Equal(7, responses.Count(r => r.Headers.Contains("X-Idempotent-Replay")));
        Assert.Equal(1, (await device.Get("/api/sync/status")).GetProperty("lastSeq").GetInt64());
    }

    [Fact]
    public async Task One_key_with_another_body_is_422_also_when_only_a_nested_timestamp_differs() // 22, 23
    {
        var device = Device("d");
        Assert.Equal(
            200,
            (int)await device.FindStatus(
                HttpMethod.Post, "/api/sync/push", "{\"timestamp\":1,\"changes\":{\"entries\":[{\"id\":\"e\",\"timestamp\":1}]}}", "k"));

        Assert.Equal(
            200,
            (int)await device.FindStatus(
                HttpMethod.Post, "/api/sync/push",
                "{\"changes\":{\"entries\":[{\"timestamp\":1, \"id\":\"e\"}]},\"timestamp\":2,\"requestId\":\"r\"}", "k"));
        using var other = await device.Send(
            HttpMethod.Post, "/api/sync/push", "{\"timestamp\":1,\"changes\":{\"entries\":[{\"id\":\"e\",\"timestamp\":2}]}}", "k");
        await other.Problem(422, "IDEMPOTENCY_KEY_REUSED");
    }

    [Fact]
    public async Task A_replay_of_an_answer_with_conflicts_is_equal_to_the_byte() // 26
    {
        var (laptop, phone) = (Device("laptop"), Device("phone"));
        await laptop.PushEntry(Entry("e", "newer"));
        var stale = $"{{\"changes\":{{\"entries\":[{Entry("e", "older", 60)}]}}}}";
        using var first = await phone.Send(HttpMethod.Post, "/api/sync/push", stale, "k");
        await laptop.PushEntry(Entry("e", "newest", -1));
        using var second = await phone.Send(HttpMethod.Post, "/api/sync/push", stale, "k");

        Assert.Equal(await first.Content.ReadAsStringAsync(), await second.Content.ReadAsStringAsync());
        Assert.Equal("true", second.Headers.GetValues("X-Idempotent-Replay").Single());
    }

    [Fact]
    public async Task A_key_outlives_a_restart_of_the_server()
    {
        var setting = await store.Storage("restarted");
        var body = $"{{\"changes\":{{\"entries\":[{Entry("e", "x")}]}}}}";
        string[] answers = ["", ""];
        for (var i = 0; i < 2; i++)
        {
            await using var life = await LiveServer.Start(setting);
            using var device = life.Device(user, "d");
            using var response = await device.Send(HttpMethod.Post, "/api/sync/push", body, "k");
            answers[i] = await response.Content.ReadAsStringAsync();
            Assert.Equal(i == 1, response.Headers.Contains("X-Idempotent-Replay"));
        }

        Assert.Equal(answers[0], answers[1]);
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public async Task An_id_has_256_characters_at_most(int length, bool taken)
    {
        var answer = await Device("d").PushEntry(Entry(new string('i', length), "x"));
        Assert.Equal(taken ? 0 : 1, answer.List("conflicts").Count);
    }

    [Theory]
    [InlineData("\\u0000")]
    [InlineData("a\\u0007b")]
    [InlineData("\\ud800")]
    [InlineData("")]
    public async Task An_id_that_names_nothing_is_refused_and_nothing_is_stored(string id)
    {
        var device = Device("d");
        Assert.Equal("invalid", (await device.PushEntry($"{{\"id\":\"{id}\"}}")).Only("conflicts").Text("reason"));
        Assert.Empty((await device.Pull()).List("entries"));
    }

    [Theory]
    [InlineData("'; DROP TABLE sync_data; --")]
    [InlineData("x\\\" OR 1=1")]
    [InlineData("%_\\\\")]
    [InlineData("🎹 é ﷽")]
    public async Task An_id_is_only_a_name(string id)
    {
        var device = Device("d");
        await device.Push($"\"goals\":[{{\"id\":\"{id}\",\"updatedAt\":1}}]");

        Assert.Equal(1, (await device.Get("/api/sync/status")).GetProperty("entityCount").GetInt32());
        var pulled = (await device.Pull()).Only("goals").GetProperty("id").GetString();
        Assert.Equal("created", (await device.Push($"\"goals\":[{{\"id\":\"other\"}}]")).Only("results").Text("status"));
        Assert.Equal(System.Text.Json.JsonDocument.Parse($"\"{id}\"").RootElement.GetString(), pulled);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public async Task A_document_is_64_levels_deep_at_most(int depth, bool taken)
    {
        // The document itself is the first level.
        var nested = new string('[', depth - 1) + new string(']', depth - 1);
        var answer = await Device("d").PushEntry($"{{\"id\":\"e\",\"x\":{nested}}}");
        Assert.Equal(taken ? [] : ["too_deep"], answer.List("conflicts").Select(c => c.Text("reason")));
    }

    [Fact]
    public async Task A_document_past_256_KiB_is_refused_alone()
    {
        var device = Device("d");
        var answer = await device.Push($"\"entries\":[{{\"id\":\"big\",\"n\":\"{new string('x', 256 * 1024)}\"}},{Entry("ok", "x")}]");

        Assert.Equal("too_large", answer.Only("conflicts").Text("reason"));
        Assert.Equal("ok", (await device.Pull()).Only("entries").Text("id"));
    }
}
