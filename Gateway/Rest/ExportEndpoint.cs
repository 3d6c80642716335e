using System.Text.Json;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.Rest;

/// <summary>Everything of a user as lines of JSON: entities and tombstones by key, then the conflict feed, then an end.</summary>
internal static class ExportEndpoint
{
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    public static async Task Get(Call call)
    {
        var response = call.Http.Response;
        response.ContentType = ContentTypes.Lines;
        response.Headers.ContentDisposition = "attachment; filename=\"mirubato-export.ndjson\"";
        var lines = 0L;
        SyncToken? token = null;
        await foreach (var page in call.PagesByKey(new ReadQuery { AfterKey = new EntityKey("", "") }))
        {
            token ??= page.Standing.Token;
            foreach (var row in page.Rows) Line(response, Of(row), ref lines);
            await response.BodyWriter.FlushAsync(call.Cancel);
        }

        lines += await Conflicts(call);
        Line(response, new ExportLine("end") { Lines = lines, SyncToken = token.ToString() }, ref lines);
        await response.BodyWriter.FlushAsync(call.Cancel);
    }

    private static async ValueTask<long> Conflicts(Call call)
    {
        var lines = 0L;
        string? after = null;
        while (true)
        {
            var found = await call.Reader.Conflicts(call.Caller.User, after, FeedEndpoints.PageMax, call.Cancel);
            foreach (var conflict in found) Line(call.Http.Response, Of(conflict), ref lines);
            await call.Http.Response.BodyWriter.FlushAsync(call.Cancel);
            if (found.Count < FeedEndpoints.PageMax) return lines;
            after = found[^1].Id;
        }
    }

    private static void Line(HttpResponse response, ExportLine line, ref long lines)
    {
        using (var json = new Utf8JsonWriter(response.BodyWriter, new JsonWriterOptions { SkipValidation = true, Encoder = WireJson.Default.Options.Encoder }))
            JsonSerializer.Serialize(json, line, WireJson.Default.ExportLine);
        System.Buffers.BuffersExtensions.Write(response.BodyWriter, NewLine);
        lines++;
    }

    private static ExportLine Of(StoredRow row) => new(row.DeletedAtMs is null ? "entity" : "tombstone")
    {
        EntityType = row.Entity.Type,
        EntityId = row.Entity.Id,
        Seq = row.Seq,
        Version = row.Version,
        UpdatedAt = IsoTime.Text(row.UpdatedAtMs),
        DeletedAt = IsoTime.Text(row.DeletedAtMs),
        Data = JsonBytes.OrNull(row.Data),
    };

    private static ExportLine Of(ConflictReport conflict) => new("conflict")
    {
        EntityType = conflict.Entity.Type,
        EntityId = conflict.Entity.Id,
        Reason = conflict.Reason,
        Version = conflict.WinnerVersion,
        UpdatedAt = IsoTime.Text(conflict.CreatedMs),
        DeviceId = conflict.Device?.Value,
        Data = JsonBytes.OrNull(conflict.Document),
    };
}
