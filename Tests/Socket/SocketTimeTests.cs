using System.Net.WebSockets;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Socket;
using Mirubato.Grains;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>What time does to a socket: real sockets, a clock that the test turns.</summary>
public sealed class SocketTimeTests
{
    [Fact]
    public async Task Five_minutes_without_a_frame_close_with_1001_and_a_ping_keeps_open()
    {
        await using var stage = await Stage.Start();
        var (silent, speaking) = (await stage.Live(), await stage.Live());
        await stage.Pass(299, speaking);
        Assert.Equal(2, stage.Sessions.Count);
        await stage.Pass(1, speaking);
        Assert.Equal(1001, await silent.Closed());
        await speaking.Settle();
    }

    [Fact]
    public async Task A_client_that_reads_nothing_for_a_minute_is_closed_with_1013_alone()
    {
        await using var stage = await Stage.Start();
        var (stalled, quick) = (await stage.Live(), await stage.Live());
        using var http = stage.Http();
        var note = new string('n', 200_000);
        using (await stalled.Stall())
        {
            for (var i = 0; i < 80; i++)
            {
                await http.PushEntry($"{{\"id\":\"e{i}\",\"notes\":\"{note}\"}}");
                if (i % 20 == 0) await quick.Until(_ => quick.Cursor > i);
            }

            // What does not fit waits in the store and not here.
            Assert.Contains(stage.Sessions, session => !session.IsLive);
            // It may still be draining into the network's own buffers; a minute after that has stopped it is found out.
            await stage.PassUntilOpen(1, 240, quick);
            Assert.Single(stage.Sessions);
        }

        Assert.Equal(1013, await stalled.Closed());
        Assert.Equal(80, quick.Cursor);
    }

    [Fact]
    public async Task A_socket_silent_for_more_than_a_minute_makes_room_for_the_eleventh_with_4429()
    {
        await using var stage = await Stage.Start();
        var ten = new List<SocketClient>();
        for (var i = 0; i < 10; i++) ten.Add(await stage.Open());
        await stage.Pass(60, [.. ten.Skip(1)]);
        await Assert.ThrowsAsync<WebSocketException>(() => stage.Open());
        await stage.Pass(1, [.. ten.Skip(1)]);
        await stage.Open();
        Assert.Equal(4429, await ten[0].Closed());
        foreach (var other in ten.Skip(1)) await other.Settle();
        await Assert.ThrowsAsync<WebSocketException>(() => stage.Open());
    }

    [Fact]
    public async Task A_token_closes_its_socket_with_4401_at_its_exp_and_a_renewed_one_lasts_until_its_own()
    {
        await using var stage = await Stage.Start();
        string Until(int seconds) =>
            Edge.Token(Stage.User, expires: DateTimeOffset.FromUnixTimeMilliseconds(stage.Clock.NowMs).AddSeconds(seconds));
        var (expiring, renewed) = (await stage.Open(Until(100)), await stage.Open(Until(100)));
        await renewed.Send($$"""{"type":"AUTH","token":"{{Until(200)}}"}""");
        await renewed.Next("AUTHENTICATED");
        await stage.Pass(98, renewed);
        Assert.Equal(2, stage.Sessions.Count);
        await stage.Pass(3, renewed);
        Assert.Equal(4401, await expiring.Closed());
        await stage.Pass(97, renewed);
        Assert.Single(stage.Sessions);
        await stage.Pass(3);
        Assert.Equal(4401, await renewed.Closed());
    }

    [Fact]
    public async Task A_client_that_sends_no_SYNC_REQUEST_gets_the_last_minute_and_no_more()
    {
        await using var stage = await Stage.Start();
        var writer = await stage.Live();
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"long-ago\"}");
        await stage.Pass(40, writer);
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"a-while-ago\"}");
        await stage.Pass(40, writer);
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"now\"}");
        var back = await stage.Open();
        Assert.Empty(await back.Settle());
        await stage.Pass(1);
        var told = await back.Next();
        Assert.Equal(1, (await back.Until(f => SocketClient.Has(f, "after"))).GetProperty("after").GetInt64());
        Assert.Equal("a-while-ago", told.GetProperty("goal").GetProperty("id").GetString());

        // Long after, nothing is replayed at all.
        await stage.Pass(120, writer);
        var late = await stage.Open();
        await stage.Pass(1);
        Assert.Empty(await late.Settle());
    }

    [Fact]
    public async Task A_client_that_sends_no_SYNC_REQUEST_gets_the_last_minute_and_no_more_after_a_long_silence_too()
    {
        await using var stage = await Stage.Start();
        var writer = await stage.Live();
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"long-ago\"}");
        await stage.Pass(13 * 60, writer);
        await writer.Mutate("GOAL_UPDATED", "\"goal\":{\"id\":\"now\"}");
        var back = await stage.Open();
        await stage.Pass(1);
        Assert.Equal(1, (await back.Until(f => SocketClient.Has(f, "after"))).GetProperty("after").GetInt64());
    }

    [Fact]
    public async Task The_server_waits_a_second_for_a_SYNC_REQUEST_before_it_replays()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http();
        await http.PushEntry("{\"id\":\"e\"}");
        var back = await stage.Open();
        await back.Send("{");
        stage.Clock.Advance(TimeSpan.FromMilliseconds(750));
        Assert.Empty(await back.Settle());
        stage.Clock.Advance(TimeSpan.FromMilliseconds(250));
        foreach (var type in (string[])["BULK_SYNC", "ERROR"])
        {
            if (!back.Seen.Exists(frame => SocketClient.Type(frame) == type)) await back.Next(type);
        }
    }

    [Fact]
    public async Task A_cursor_from_before_the_tombstone_horizon_is_reset()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http();
        for (var i = 1; i <= 3; i++) await http.PushEntry($"{{\"id\":\"e{i}\"}}");
        await http.Push("\"entries\":[{\"id\":\"e1\",\"deletedAt\":\"2100-01-01T00:00:00.000Z\"}]");
        await http.PushEntry("{\"id\":\"e4\"}");
        await Forget(stage, upTo: 4);

        var away = await stage.Open();
        var end = await away.Sync(3);
        Assert.True(
            away.Seen.Single(f => SocketClient.Has(f, "reset") && f.GetProperty("lastSeq").GetInt64() == 0)
                .GetProperty("reset")
                .GetBoolean());
        Assert.True(end.GetProperty("reset").GetBoolean());
        Assert.Equal(
            ["e2", "e3", "e4"],
            away.Seen.Single(f => SocketClient.Type(f) == "BULK_SYNC")
                .GetProperty("entries")
                .EnumerateArray()
                .Select(e => e.GetProperty("id").GetString()));

        // At the horizon nothing is missing.
        var there = await stage.Open();
        Assert.False(SocketClient.Has(await there.Sync(4), "reset"));
    }

    [Fact]
    public async Task Reading_from_the_start_in_pages_is_not_reset_by_a_horizon_ahead_of_the_first()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http();
        await http.Push($"\"entries\":[{string.Join(',', Enumerable.Range(0, 600).Select(i => $"{{\"id\":\"e{i}\"}}"))}]");
        await http.Push("\"entries\":[{\"id\":\"e0\",\"deletedAt\":\"2100-01-01T00:00:00.000Z\"}]");
        await Forget(stage, upTo: 601);

        var client = await stage.Open();
        await client.Ask();
        var end = await client.Until(f => SocketClient.Type(f) == "SYNC_RESPONSE");
        Assert.Equal("Sync complete", end.GetProperty("message").GetString());
        Assert.Equal(599, client.Seen.Where(f => SocketClient.Type(f) == "BULK_SYNC").Sum(f => f.GetProperty("entries").GetArrayLength()));
    }

    [Fact]
    public async Task A_store_with_another_epoch_at_the_same_revisions_resets_every_socket()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http();
        for (var i = 1; i <= 3; i++) await http.PushEntry($"{{\"id\":\"e{i}\"}}");
        var client = await stage.Live();
        // A backup of long ago, brought forward, may have come as far as the sockets that outlived it: the numbers alone tell nothing.
        await Sql(stage, $"UPDATE sync_metadata SET epoch = '{Guid.NewGuid():n}'");
        await stage.Pass(30, client);
        while (client.Seen.Count(f => SocketClient.Type(f) == "BULK_SYNC") < 2) await client.Next();
        var (reset, all) = (
            client.Seen.Last(f => SocketClient.Has(f, "reset")), client.Seen.Last(f => SocketClient.Type(f) == "BULK_SYNC"));
        Assert.True(client.Seen.IndexOf(reset) < client.Seen.IndexOf(all));
        Assert.Equal(0, reset.GetProperty("lastSeq").GetInt64());
        Assert.Equal((3, 3), (all.GetProperty("lastSeq").GetInt64(), all.GetProperty("entries").GetArrayLength()));
    }

    [Fact]
    public async Task What_was_never_announced_reaches_an_idle_socket_within_half_a_minute()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http();
        await http.PushEntry("{\"id\":\"e\"}");
        var client = await stage.Live();
        await Sql(stage, "UPDATE sync_data SET seq = 2; UPDATE sync_metadata SET last_seq = 2");
        Assert.Empty(await client.Settle());
        await stage.Pass(30, client);
        if (client.Cursor < 2) await client.Until(_ => client.Cursor == 2);
    }

    [Fact]
    public async Task Two_hundred_frames_a_second_are_allowed_without_end_and_a_thousand_close_with_1008()
    {
        await using var stage = await Stage.Start();
        var (steady, fast) = (await stage.Live(), await stage.Live());
        for (var second = 0; second < 12; second++)
        {
            await Burst(steady, 199);
            await steady.Settle();
            stage.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        for (var second = 0; second < 2; second++)
        {
            await Burst(fast, 1_000);
            for (var i = 0; i < 1_000; i++) await fast.Next("PONG");
            stage.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await Burst(fast, 1_000);
        Assert.Equal(1008, await fast.Closed());
        await steady.Settle();
    }

    [Fact]
    public async Task Nineteen_invalid_frames_a_minute_are_tolerated_and_the_twentieth_closes_with_1008()
    {
        await using var stage = await Stage.Start();
        var client = await stage.Live();
        for (var minute = 0; minute < 3; minute++)
        {
            for (var i = 0; i < 19; i++) await client.Send("{");
            for (var i = 0; i < 19; i++) await client.Next("ERROR");
            await stage.Pass(60, client);
        }

        for (var i = 0; i < 20; i++) await client.Send("{");
        Assert.Equal(1008, await client.Closed());
    }

    [Fact]
    public async Task A_ticket_is_valid_for_thirty_seconds()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http();
        async Task<string> Ticket() => (await http.Ask(HttpMethod.Post, "/api/sync/ticket")).GetProperty("ticket").GetString()!;
        var (inTime, late) = (await Ticket(), await Ticket());
        stage.Clock.Advance(TimeSpan.FromSeconds(30));
        await stage.Open(query: $"ticket={inTime}");
        stage.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAsync<WebSocketException>(() => stage.Open(query: $"ticket={late}"));
    }

    [Fact]
    public async Task A_ticket_ends_with_the_token_it_was_given_for()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http();
        http.Token = Edge.Token(Stage.User, expires: DateTimeOffset.FromUnixTimeMilliseconds(stage.Clock.NowMs).AddSeconds(100));
        var ticket = (await http.Ask(HttpMethod.Post, "/api/sync/ticket")).GetProperty("ticket").GetString();
        var socket = await stage.Open(query: $"ticket={ticket}");
        await stage.Pass(98, socket);
        Assert.Single(stage.Sessions);
        await stage.Pass(3);
        Assert.Equal(4401, await socket.Closed());
    }

    [Fact]
    public async Task A_sign_out_and_a_revocation_that_were_never_announced_are_found_within_half_a_minute()
    {
        await using var stage = await Stage.Start();
        using var http = stage.Http("phone");
        await http.PushEntry("{\"id\":\"e\"}");
        var (phone, laptop) = (await stage.Open(query: $"userId=ada&token={Edge.Token(Stage.User)}&deviceId=phone"), await stage.Open());
        foreach (var socket in (SocketClient[])[phone, laptop]) await socket.Sync();
        await Sql(stage, "UPDATE sync_devices SET revoked_ms = 1 WHERE device_id = 'phone'; UPDATE sync_metadata SET rights = rights + 1");
        await stage.PassUntilOpen(1, 30, laptop);
        Assert.Equal(4403, await phone.Closed());
        await laptop.Settle();

        await Sql(stage, $"UPDATE sync_metadata SET not_before_ms = {stage.Clock.NowMs}, rights = rights + 1");
        await stage.PassUntilOpen(0, 30);
        Assert.Equal(4403, await laptop.Closed());
    }

    [Fact]
    public async Task The_state_of_a_user_goes_with_the_last_socket_and_the_coordinator_gets_a_leave()
    {
        await using var stage = await Stage.Start();
        var registry = stage.Server.Services.GetRequiredService<UserSocketsRegistry>();
        var active = stage.Server.Services.GetRequiredService<CoordinatorContext>().Active;
        var (one, two) = (await stage.Live(), await stage.Live());
        await stage.Pass(180, one, two);
        Assert.Equal((1, 1), (registry.All().Count, active.Where(coordinator => coordinator.HasConnections).Count));
        await one.Drop();
        await Eventually.Holds(() => stage.Sessions.Count <= 1);
        Assert.Single(registry.All());
        await two.Drop();
        await Eventually.Holds(() => registry.All().Count == 0);
        Assert.Empty(active.Where(coordinator => coordinator.HasConnections));
    }

    [Fact]
    public async Task A_stopping_server_closes_its_sockets_within_two_seconds_and_not_all_at_once()
    {
        await using var stage = await Stage.Start();
        var sockets = new List<SocketClient>();
        for (var i = 0; i < 10; i++) sockets.Add(await stage.Live());
        var stopped = stage.Server.Stop();
        var registry = stage.Server.Services.GetRequiredService<UserSocketsRegistry>();
        await Eventually.Holds(() => registry.IsDraining);
        var open = new HashSet<int>();
        for (var tenth = 0; tenth < 40 && stage.Sessions.Count > 0; tenth++)
        {
            stage.Clock.Advance(TimeSpan.FromMilliseconds(100));
            open.Add(stage.Sessions.Count);
        }

        Assert.InRange(open.Count, 4, 20);
        foreach (var socket in sockets) Assert.Equal(1012, await socket.Closed());
        // Clients that do not close their half are cut off.
        stage.Clock.Advance(TimeSpan.FromSeconds(6));
        await stopped;
    }

    [Fact]
    public async Task A_stopping_server_refuses_upgrades_so_that_clients_connect_to_another()
    {
        await using var stage = await Stage.Start();
        await stage.Server.Services.GetRequiredService<UserSocketsRegistry>().Drain(CancellationToken.None);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(stage.Server.Url, $"/sync/ws?userId={Stage.User}&token={Edge.Token(Stage.User)}"));
        request.Headers.Connection.Add("Upgrade");
        foreach (
            var (name, value) in new[]
            {
                ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            })
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
    }

    private static async Task Burst(SocketClient client, int frames)
    {
        try
        {
            for (var i = 0; i < frames; i++) await client.Send("{\"type\":\"PING\"}");
        }
        catch (WebSocketException)
        {
            // It was closed while this was still sending.
        }
    }

    /// <summary>As the sweep does it to a user with too many tombstones.</summary>
    private static Task Forget(Stage stage, long upTo) =>
        Sql(
            stage,
            $"DELETE FROM sync_data WHERE deleted_ms IS NOT NULL AND seq <= {upTo}; UPDATE sync_metadata SET tombstone_horizon = {upTo}");

    /// <summary>As another process would.</summary>
    private static async Task Sql(Stage stage, string sql)
    {
        await using var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={stage.Setting.Split('=')[1]};Pooling=False");
        await database.OpenAsync();
        await using var command = database.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
