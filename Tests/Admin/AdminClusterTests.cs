using System.Net;
using System.Text.Json;
using Mirubato.Cli;
using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Cli;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Sockets;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Admin;

/// <summary>The cluster, as an operator sees it, and takes a silo out of it.</summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class AdminClusterTests(PostgresCluster postgres)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_status_sums_the_silos_and_events_tell_the_same()
    {
        var clock = new FakeClock(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        await using var server = await AdminServer.StartAt(clock);
        await using var socket = await SocketClient.Open(server.Url, "ada");
        await socket.Next("WELCOME");
        using var phone = server.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":1}""");
        clock.Advance(TimeSpan.FromSeconds(5));

        var status = await server.Get("/admin/v1/status");
        var silo = (await server.Get("/admin/v1/silos")).Only("silos");
        var told = await FirstEvent(server);

        Assert.Equal("healthy", status.Text("status"));
        Assert.Equal("sqlite", status.GetProperty("store").Text("kind"));
        Assert.Equal((1, 1), (status.GetProperty("silos").GetInt32(), status.GetProperty("silosReady").GetInt32()));
        Assert.Equal("active", silo.Text("status"));
        foreach (var figures in (JsonElement[])
            [status.GetProperty("figures"), silo.GetProperty("figures"), told.GetProperty("status").GetProperty("figures")])
        {
            Assert.Equal(1, figures.GetProperty("sockets").GetInt32());
            Assert.Equal(1, figures.GetProperty("activeUsers").GetInt32());
            Assert.Equal(1, figures.GetProperty("connections").GetInt32());
            Assert.True(figures.GetProperty("memoryBytes").GetInt64() > 0);
            Assert.True(figures.GetProperty("latency").TryGetProperty("push", out _), "What came before the first look is not counted.");
        }

        Assert.Equal(silo.Text("name"), told.Only("silos").Text("name"));
    }

    [Fact]
    public async Task So_many_pages_follow_the_figures_and_no_more()
    {
        await using var server = await AdminServer.Start();
        var watching = new List<HttpResponseMessage>();
        for (var i = 0; i < Limits.AdminWatchersMax; i++)
        {
            watching.Add(await server.Send(HttpMethod.Get, "/admin/v1/events"));
            Assert.Equal(HttpStatusCode.OK, watching[i].StatusCode);
        }

        using var oneMore = await server.Send(HttpMethod.Get, "/admin/v1/events");
        await oneMore.Problem(429, "RATE_LIMITED");
        watching.ForEach(one => one.Dispose());

        Assert.True(await Patiently.Until(
            () =>
            {
                using var again = server.Send(HttpMethod.Get, "/admin/v1/events").Result;
                return again.StatusCode == HttpStatusCode.OK;
            }, Patience));
    }

    [Fact]
    public async Task A_drained_silo_has_neither_sockets_nor_coordinators_and_loses_nothing()
    {
        var database = await postgres.FreshDatabase();
        await using var first = await AdminServer.Over(database);
        await using var second = await AdminServer.Over(database);
        await using var leaving = await Live(first, "ada");
        await using var staying = await Live(second, "ada");
        await using var other = await Live(first, "grace");
        using var phone = first.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await staying.Next("ENTRY_CREATED");
        var name = await NameOf(first, sockets: 2);

        // Any silo is asked for any other.
        using var answer = await second.Send(HttpMethod.Post, $"/admin/v1/silos/{name}/drain", "drain");
        var begun = await answer.Json();
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.True(begun.GetProperty("draining").GetBoolean());
        foreach (var socket in (SocketClient[])[leaving, other]) Assert.Equal(1012, await socket.Closed());
        Assert.True(await Patiently.Until(() => Silo(second, name).GetProperty("drained").GetBoolean(), Patience));

        using var client = new HttpClient { BaseAddress = first.Url };
        using var ready = await client.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("draining", (await ready.Json()).Text("reason"));
        await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(() => SocketClient.Open(first.Url, "ada"));
        using var elsewhere = second.Device("ada", "phone");
        await elsewhere.PushEntry("""{"id":"e2","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await staying.Until(frame => frame.GetRawText().Contains("\"e2\"", StringComparison.Ordinal));
        Assert.Equal(2, (await elsewhere.Pull()).List("entries").Count);

        using var back = await second.Send(HttpMethod.Delete, $"/admin/v1/silos/{name}/drain", "resume");
        Assert.False((await back.Json()).GetProperty("draining").GetBoolean());
        await using var again = await Live(first, "grace");
        Assert.Contains(second.Audited, line => line.Contains($"did drain to silo '{name}'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_process_without_a_silo_is_listed_and_summed_and_takes_no_file_that_nobody_would_read()
    {
        var database = await postgres.FreshDatabase();
        await using var server = await AdminServer.Over(database);
        await using var gateway = await LiveServer.Start(
            $"--Storage:Postgres={database}", "--Silo:Mode=gateway", $"--Admin:Secret={AdminServer.Secret}");
        await using var socket = await SocketClient.Open(gateway.Url, "ada");
        await socket.Next("WELCOME");

        Assert.True(await Patiently.Until(
            () => Gateways(server) is [var one] && one.GetProperty("figures").GetProperty("sockets").GetInt32() == 1, Patience));
        Assert.Equal(("gateway", true), (Gateways(server)[0].Text("status"), Gateways(server)[0].GetProperty("ready").GetBoolean()));
        var status = await server.Get("/admin/v1/status");
        Assert.Equal((1, 1), (status.GetProperty("silos").GetInt32(), status.GetProperty("figures").GetProperty("sockets").GetInt32()));

        using var client = new HttpClient { BaseAddress = gateway.Url };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/v1/imports?dryRun=true");
        request.Headers.Authorization = AdminServer.Basic("op", AdminServer.Secret);
        request.Headers.Add("Confirm", "import");
        request.Content = new ByteArrayContent([1, 2, 3]);
        using var answer = await client.SendAsync(request);
        var problem = await answer.Problem(422, "IMPORT_REFUSED");
        Assert.Contains("is a gateway", problem.Text("detail"), StringComparison.Ordinal);
        Assert.Contains($"--server http://127.0.0.1:{gateway.Url.Port}", problem.Text("detail"), StringComparison.Ordinal);

        // Larger than what a connection holds: the refusal arrives because the command line waits for it before it sends.
        var file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, new byte[64 * 1024 * 1024]);
        var (code, _, error) = await CommandLine.Run(
            "import", "d1", file, "--yes", "--server", $"{gateway.Url}", "--secret", AdminServer.Secret);
        File.Delete(file);
        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("Send the file to a process that has a silo (machines: 127.0.0.1)", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gateways_that_are_silent_are_listed_no_more_and_so_many_are_listed_at_most()
    {
        var clock = new FakeClock();
        var grain = new GatewayListGrain(clock);
        for (var i = 0; i <= Limits.GatewaysMax; i++) await grain.Report(Report($"{i}"));
        Assert.Equal(Limits.GatewaysMax, (await grain.List()).Length);

        clock.Advance(TimeSpan.FromMilliseconds(Limits.GatewaySilentMs));
        await grain.Report(Report("7"));
        Assert.Equal(Limits.GatewaysMax, (await grain.List()).Length);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("7", Assert.Single(await grain.List()).Name);

        static GatewayReport Report(string name) => new(name, "machine", new ProcessReport("1", 0, null, 0, 0, 0, 0, [], []));
    }

    [Fact]
    public async Task A_silo_that_is_not_there_is_not_found()
    {
        await using var server = await AdminServer.Start();

        using var answer = await server.Send(HttpMethod.Post, "/admin/v1/silos/none/drain", "drain");

        await answer.Problem(404, "NOT_FOUND");
    }

    private static IReadOnlyList<JsonElement> Gateways(AdminServer asked) => asked.Get("/admin/v1/silos").Result.List("gateways");

    private static JsonElement Silo(AdminServer asked, string name) =>
        asked.Get("/admin/v1/silos").Result.List("silos").Single(silo => silo.Text("name") == name);

    private static async Task<string> NameOf(AdminServer server, int sockets) =>
        (await server.Get("/admin/v1/silos")).List("silos")
            .Single(silo => silo.GetProperty("figures").GetProperty("sockets").GetInt32() == sockets).Text("name")!;

    private static async Task<SocketClient> Live(AdminServer server, string user)
    {
        var socket = await SocketClient.Open(server.Url, user);
        await socket.Next("WELCOME");
        await socket.Sync();
        return socket;
    }

    private static async Task<JsonElement> FirstEvent(AdminServer server)
    {
        using var answer = await server.Send(HttpMethod.Get, "/admin/v1/events");
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        while (await lines.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal)) return JsonDocument.Parse(line[6..]).RootElement;
        }

        throw new InvalidOperationException("No event came.");
    }
}
