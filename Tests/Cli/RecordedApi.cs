using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mirubato.Tests.Cli;

/// <summary>The answers of the documented Admin API, as they are documented, and a record of what was asked.</summary>
internal sealed class RecordedApi : IAsyncDisposable
{
    private readonly WebApplication app;
    private int polls;

    private RecordedApi(WebApplication app) => this.app = app;

    public List<string> Asked { get; } = [];

    public string[] Server => ["--server", app.Urls.Single(), "--secret", "whatever"];

    /// <summary>After so many looks the silo that drains is empty.</summary>
    public int DrainedAfter { get; init; } = 2;

    public static async Task<RecordedApi> Start(int drainedAfter = 2)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var api = new RecordedApi(builder.Build()) { DrainedAfter = drainedAfter };
        api.app.Run(api.Answer);
        await api.app.StartAsync();
        return api;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task Answer(HttpContext http)
    {
        var asked = $"{http.Request.Method} {http.Request.Path.ToUriComponent()}{http.Request.QueryString} {http.Request.Headers["Confirm"]}";
        Asked.Add(asked.TrimEnd());
        http.Response.StatusCode = http.Request.Method == "DELETE" && !asked.Contains("silos", StringComparison.Ordinal) ? 204 : 200;
        if (http.Response.StatusCode == 200) await http.Response.WriteAsync(Body(asked));
    }

    private string Body(string asked) =>
        asked.Contains("/status", StringComparison.Ordinal) ? """
            {"status":"unhealthy","silos":3,"silosReady":0,"silosDraining":0,"store":{"kind":"postgres","ready":false,"trouble":"timeout"},
             "figures":{"sockets":812,"activeUsers":640,"operationsPerSecond":312.5,"latency":{"commit":{"p99":0.018}}}}
            """
        : asked.Contains("/silos", StringComparison.Ordinal) ? Silos(asked)
        : asked.Contains("/export", StringComparison.Ordinal) ? "{\"kind\":\"entity\"}\n{\"kind\":\"end\",\"lines\":1}\n"
        : asked.StartsWith("GET", StringComparison.Ordinal) ? """
            {"user":"ada","head":1234,"epoch":"6f","entities":{"live":120,"tombstones":4,"bytes":51234},"connections":[],"conflicts":[],
             "devices":[{"deviceId":"phone","lastSeenAt":"2026-11-26T10:15:00.000Z","lastSeq":1222,"lag":12,"live":true,"revoked":false}]}
            """
        : """{"success":true}""";

    private string Silos(string asked)
    {
        var isList = asked.StartsWith("GET", StringComparison.Ordinal);
        var isEmpty = isList && ++polls >= DrainedAfter ? "true" : "false";
        var silo = $$"""
            {"name":"Silo_1","address":"10.0.0.5:11111","status":"active","ready":true,"draining":true,"drained":{{isEmpty}},"figures":null}
            """;
        return isList ? $$"""{"silos":[{{silo}}]}""" : silo;
    }
}
