using System.Globalization;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>Push and batch: read the body once, hand its items to the coordinator, send the bytes it answers with.</summary>
internal static class WriteEndpoints
{
    private const long UnsentSecondsMax = 10L * 366 * 86_400;

    public static Task Push(Call call, RequestBodies bodies, UserRates rates, GatewayMetrics metrics) =>
        Write(call, WriteScope.Push, bodies, PushRequest.Parse, rates, metrics);

    public static Task Batch(Call call, RequestBodies bodies, UserRates rates, GatewayMetrics metrics) =>
        Write(call, WriteScope.Batch, bodies, BatchRequest.Parse, rates, metrics);

    /// <summary>Restores an export. It takes no key: done twice, it finds everything unchanged.</summary>
    public static async Task Import(Call call, RequestBodies bodies, GatewayMetrics metrics)
    {
        using var timed = metrics.Time("import");
        var body = await bodies.Read(call.Http, call.Caller.User);
        var request = new WriteRequest(
            call.Caller, WriteScope.Push, Key: null, body,
            await BodyWork.Run(body.Length, body, ImportRequest.Parse))
        { RevivesDeleted = true };
        await Answer(call, await call.Coordinator.Write(request, call.Cancel), metrics);
    }

    private static async Task Write(
        Call call, WriteScope scope, RequestBodies bodies, Func<ReadOnlyMemory<byte>, ParsedWrite> parse, UserRates rates,
        GatewayMetrics metrics)
    {
        using var timed = metrics.Time(scope is WriteScope.Batch ? "batch" : "push");
        NoteUnsent(call.Http.Request.Headers[CommonHeaders.UnsentAge].ToString(), metrics);
        var key = Key(call.Http);
        var body = await bodies.Read(call.Http, call.Caller.User);
        if (key is not null
            && await call.Coordinator.FindReplay(new ReceiptQuery(call.Caller, scope, key, body), call.Cancel) is { } first)
        {
            await Answer(call, first, metrics);
            return;
        }

        var parsed = await Parse(call.Caller.User, body, parse, rates);
        var request = new WriteRequest(call.Caller, scope, key, body, parsed.Changes, parsed.Cursor, IsStrict(call.Http.Request))
        {
            Merges = call.Http.Request.Headers[CommonHeaders.Merge] == "1",
        };
        await Answer(call, await call.Coordinator.Write(request, call.Cancel), metrics);
    }

    /// <summary>
    /// Small bodies may hold many items, and many bodies may wait here: when the first are counted, the others are refused unread. A larger
    /// body was let in when it was received.
    /// </summary>
    private static ValueTask<ParsedWrite> Parse(
        UserId user, ReadOnlyMemory<byte> body, Func<ReadOnlyMemory<byte>, ParsedWrite> parse, UserRates rates) =>
        body.Length is <= Limits.InlineBodyBytesMax or > BodyBudget.FreeBytes
            ? BodyWork.Run(body.Length, body, parse)
            : BodyWork.Run(body.Length, (user, body, parse, rates), static work =>
            {
                work.rates.ThrowIfOwing(work.user);
                return work.parse(work.body);
            });

    /// <summary>It is for the operator's eyes only: whatever is no number of seconds up to ten years is passed over.</summary>
    private static void NoteUnsent(string seconds, GatewayMetrics metrics)
    {
        if (long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var age) && age <= UnsentSecondsMax)
        {
            metrics.Unsent(age);
        }
    }

    public static Task Answer(Call call, WriteAnswer answer, GatewayMetrics metrics)
    {
        RequestRefusedException.ThrowIf(answer.Refusal);
        if (answer.Replayed)
        {
            call.Http.Response.Headers[CommonHeaders.Replay] = "true";
            metrics.Replays.Add(1);
        }

        return call.Http.Answer(answer.Status, answer.Body, answer.Status < 400 ? ContentTypes.Json : ContentTypes.Problem);
    }

    public static string? Key(HttpContext http)
    {
        var ours = Call.Id(http, CommonHeaders.Key);
        var standard = Call.Id(http, CommonHeaders.StandardKey);
        if (ours is not null && standard is not null && ours != standard)
            throw new RequestRefusedException(
                Problem.InvalidHeader, $"{CommonHeaders.Key} and {CommonHeaders.StandardKey} differ; send one of them.");
        return ours ?? standard;
    }

    private static bool IsStrict(HttpRequest request)
    {
        foreach (var value in request.Headers["Prefer"])
        {
            foreach (var preference in (value ?? "").Split([',', ';']))
            {
                var bare = preference.Replace(" ", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal);
                if (bare.Equals("handling=strict", StringComparison.OrdinalIgnoreCase)) return true;
            }
        }

        return false;
    }
}
