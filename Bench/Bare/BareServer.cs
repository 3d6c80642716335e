using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mirubato.Bench.Bare;

/// <summary>
/// The limit of this machine: Kestrel as the framework brings it, which checks nothing, stores nothing, and gives answers of the right
/// shape and size. The scenarios of <see cref="Scenarios"/> run against it unchanged; only pages, replays and batches need a real server.
/// </summary>
internal static class BareServer
{
    public static readonly IReadOnlyList<string> HttpScenarios = ["push-1", "push-10", "pull-304", "status"];
    public static readonly IReadOnlyList<string> WsScenarios = ["fanout-1-50", "fanout-9-50", "fanout-1-500", "fanout-9-500"];

    private static readonly string Token = new('x', 40);
    private static readonly byte[] Status = Encoding.ASCII.GetBytes(
        $$"""{"success":true,"syncToken":"{{Token}}","entityCount":10,"entityCounts":{"logbook_entry":10},"connections":0}""");

    /// <param name="url">Where to listen.</param>
    /// <returns>The server, not yet started.</returns>
    public static WebApplication Create(string url)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(url).ConfigureKestrel(options => options.AddServerHeader = false);
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/api/sync/status", (RequestDelegate)(context => Answer(context, Status)));
        app.MapPost("/api/sync/pull", (RequestDelegate)Pull);
        app.MapPost("/api/sync/push", (RequestDelegate)Push);
        var rooms = new Rooms();
        app.MapGet("/sync/ws", (RequestDelegate)(context => rooms.Join(context)));
        return app;
    }

    private static Task Pull(HttpContext context)
    {
        context.Response.Headers.ETag = "\"bare\"";
        if (context.Request.Headers.IfNoneMatch.Count == 0)
            return Answer(context, "{}"u8.ToArray());
        context.Response.StatusCode = StatusCodes.Status304NotModified;
        return Task.CompletedTask;
    }

    // The body is read to its end, as whoever stores it must; how many entries it holds is counted by their ids.
    private static async Task Push(HttpContext context)
    {
        var body = context.Request.BodyReader;
        var read = await body.ReadAtLeastAsync((int)(context.Request.ContentLength ?? 0));
        var entries = 0;
        foreach (var segment in read.Buffer)
            entries += segment.Span.Count("\"id\":\"entry_"u8);
        body.AdvanceTo(read.Buffer.End);
        await Answer(context, Encoding.ASCII.GetBytes(
            $$$"""{"success":true,"syncToken":"{{{Token}}}","conflicts":[],"stats":{"entriesProcessed":{{{entries}}}}}"""));
    }

    private static Task Answer(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json).AsTask();
    }
}
