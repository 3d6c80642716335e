using System.Buffers;
using System.Text.Json;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// Everything of a user as lines of JSON: entities and tombstones by key, then the conflict feed, then versions, then an end.
/// </summary>
internal static class ExportEndpoint
{
    public static async Task Get(Call call, UserConcurrency concurrency)
    {
        using var only = concurrency.Long(call.Caller.User);
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var response = call.Http.Response;
        response.ContentType = ContentTypes.Lines;
        response.Headers.ContentDisposition = "attachment; filename=\"mirubato-export.ndjson\"";
        await new Lines(call).Write();
    }

    /// <summary>The same lines straight from the store, in a host that serves no clients. False: there is no such user.</summary>
    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    public static async Task<bool> WriteTo(Stream to, UserId user, IServiceProvider services, CancellationToken cancel)
    {
        var reader = services.GetRequiredService<IUserReader>();
        if (!(await reader.States([user], cancel)).ContainsKey(user)) return false;
        var http = new DefaultHttpContext { RequestServices = services, RequestAborted = cancel };
        http.Response.Body = to;
        var caller = new Caller(user, Device: null, TokenIssuedAtMs: long.MaxValue);
        await new Lines(new Call(http, caller, services.GetRequiredService<Coordinators>().For(user), reader)).Write();
        return true;
    }

    private sealed class Lines(Call call)
    {
        private readonly AnswerSteps to = new(call.Http);
        private readonly ArrayBufferWriter<byte> line = new();
        private long count;

        public async Task Write()
        {
            SyncToken? token = null;
            await foreach (var page in call.PagesByKey(new ReadQuery { AfterKey = new EntityKey("", "") }))
            {
                token ??= page.HistoryState.Token;
                foreach (var row in page.Rows) await Write(From(row));
            }

            await Conflicts();
            await Versions();
            await Write(new ExportLine("end") { Lines = count, SyncToken = token.ToString() });
            await to.Flush();
        }

        private async ValueTask Conflicts()
        {
            await foreach (var conflict in FeedEndpoints.All(call, after: null)) await Write(From(conflict));
        }

        private async ValueTask Versions()
        {
            var (after, version) = (new EntityKey("", ""), 0L);
            while (true)
            {
                var request = new VersionsRequest(call.Caller.User, after, version, Limits.FeedRowsMax);
                var found = await call.Reader.Versions(request, call.Cancel);
                foreach (var one in found) await Write(From(one));
                if (found.Count < Limits.FeedRowsMax) return;
                (after, version) = (found[^1].Entity, found[^1].Version);
            }
        }

        private async ValueTask Write(ExportLine what)
        {
            line.ResetWrittenCount();
            var options = new JsonWriterOptions { SkipValidation = true, Encoder = WireJson.Default.Options.Encoder };
            using (var json = new Utf8JsonWriter(line, options)) JsonSerializer.Serialize(json, what, WireJson.Default.ExportLine);
            line.Write("\n"u8);
            await to.Write(line.WrittenMemory);
            count++;
        }
    }

    private static ExportLine From(StoredRow row) => new(row.DeletedAtMs is null ? "entity" : "tombstone")
    {
        EntityType = row.Entity.Type,
        EntityId = row.Entity.Id,
        Seq = row.Seq,
        Version = row.Version,
        UpdatedAt = IsoTime.Text(row.UpdatedAtMs),
        DeletedAt = IsoTime.Text(row.DeletedAtMs),
        Data = JsonBytes.OrNull(row.Data),
    };

    private static ExportLine From(VersionReport version) => new("version")
    {
        EntityType = version.Entity.Type,
        EntityId = version.Entity.Id,
        Version = version.Version,
        UpdatedAt = IsoTime.Text(version.UpdatedAtMs),
        DeletedAt = version.Document.IsEmpty ? IsoTime.Text(version.UpdatedAtMs) : null,
        DeviceId = version.Device?.Value,
        ArrivedAt = IsoTime.Text(version.ArrivedMs),
        Data = JsonBytes.OrNull(version.Document),
    };

    private static ExportLine From(ConflictReport conflict) => new("conflict")
    {
        EntityType = conflict.Entity.Type,
        EntityId = conflict.Entity.Id,
        Reason = conflict.Reason,
        Version = conflict.WinnerVersion,
        UpdatedAt = IsoTime.Text(conflict.CreatedMs),
        DeviceId = conflict.Device?.Value,
        Members = conflict.Members,
        Data = JsonBytes.OrNull(conflict.Document),
    };
}
