using System.Buffers;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.WebApp;

/// <summary>What is stored under a key, and where the history stood then.</summary>
internal sealed record Stored(StoredRow? Row, HistoryState HistoryState)
{
    public bool IsLive => Row is { DeletedAtMs: null };

    public bool IsDeleted => Row is { DeletedAtMs: not null };

    public JsonMembers Members => JsonMembers.ParseStored(Row!.Data);
}

/// <summary>What an update makes of what is stored: a new document, a deletion, or the reason why neither.</summary>
internal sealed record Edit(JsonMembers? Document, RequestRefusedException? Refusal = null)
{
    public static readonly Edit Delete = new(Document: null);

    public static Edit No(Problem problem, string detail) => new(null, new RequestRefusedException(problem, detail));
}

/// <summary>
/// One user's documents, read by key and changed in place. A change is written only over the very version it was made from, and made again
/// when another write came between: so a partial update never undoes the other's members.
/// </summary>
internal sealed class Documents(Rest.Call call)
{
    /// <summary>Each attempt that fails is another device's success.</summary>
    public const int AttemptsMax = 20;

    public long NowMs => call.Time.GetUtcNow().ToUnixTimeMilliseconds();

    public async ValueTask<Stored> Find(EntityType type, string id)
    {
        var key = new EntityKey(type.Name, id);
        var page = await call.Read(ReadQuery.From(key));
        return new Stored(page.Rows is [var row] && row.Entity == key ? row : null, page.HistoryState);
    }

    /// <summary>The live document, or 404 with <paramref name="absent"/>.</summary>
    public async ValueTask<Stored> Get(EntityType type, string id, string absent)
    {
        var stored = UsableId.Is(id) ? await Find(type, id) : null;
        return stored is { IsLive: true } ? stored : throw new RequestRefusedException(Problem.NotFound, absent);
    }

    /// <summary>Changes one document; a request that was executed before under its key is not executed again.</summary>
    /// <returns>What was stored before, as the edit saw it.</returns>
    public async ValueTask<Stored> Update(EntityType type, string id, RequestKey key, Func<Stored, Edit> edit)
    {
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            var stored = await Find(type, id);
            var made = edit(stored);
            if (made.Refusal is { } refusal)
            {
                await ReplayOrThrow(key, refusal);
                return stored;
            }

            var answer = await call.Coordinator.Write(BuildRequest(key, stored, made, new EntityKey(type.Name, id)), call.Cancel);
            if (answer.Refusal is RequestRefusal.None)
            {
                Check(answer);
                return stored;
            }

            if (answer.Refusal is not RequestRefusal.BaseMoved) RequestRefusedException.ThrowIf(answer.Refusal);
        }

        throw new RequestRefusedException(Problem.BaseMoved);
    }

    /// <summary>
    /// Writes several documents in one transaction, each over the version it names (0: a new one), and makes them again when another write
    /// came between.
    /// </summary>
    public async ValueTask UpdateTogether(
        RequestKey key, Func<Task<(Stored From, List<(EntityKey Entity, long Version, JsonMembers Document)> Documents)>> make)
    {
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            var (from, made) = await make();
            var (changes, bytes) = (new List<Change>(), new ArrayBufferWriter<byte>());
            foreach (var (entity, version, document) in made)
            {
                var json = document.ToJson();
                changes.Add(new Change(entity.Type, entity.Id, new DocumentRange(bytes.WrittenCount, json.Length), BaseVersion: version));
                bytes.Write(json.Span);
            }

            var answer = await call.Coordinator.Write(BuildRequest(key, from, changes, bytes.WrittenMemory), call.Cancel);
            if (answer.Refusal is RequestRefusal.BaseMoved) continue;
            RequestRefusedException.ThrowIf(answer.Refusal);
            Check(answer);
            return;
        }

        throw new RequestRefusedException(Problem.BaseMoved);
    }

    /// <summary>Edits a document that must be there; deletes it where <paramref name="change"/> is null.</summary>
    public async ValueTask EditLive(EntityType type, string id, RequestKey key, string absent, Action<JsonMembers>? change)
    {
        if (!UsableId.Is(id)) throw new RequestRefusedException(Problem.NotFound, absent);
        await Update(type, id, key, stored =>
        {
            if (!stored.IsLive) return Edit.No(Problem.NotFound, absent);
            if (change is null) return Edit.Delete;
            var document = stored.Members;
            change(document);
            document.SetUpdatedAt(type, NowMs);
            return new Edit(document);
        });
    }

    /// <summary>What may not be done now may have been done before, under this key.</summary>
    private async ValueTask ReplayOrThrow(RequestKey key, RequestRefusedException refusal)
    {
        if (key.Value is not { } sent) throw refusal;
        var query = new ReceiptQuery(call.Caller, WriteScope.Push, sent, key.Body);
        var answer = await call.Coordinator.FindReceipt(query, call.Cancel) ?? throw refusal;
        RequestRefusedException.ThrowIf(answer.Refusal);
        Check(answer);
    }

    private WriteRequest BuildRequest(RequestKey key, Stored stored, Edit edit, EntityKey entity)
    {
        var document = edit.Document?.ToJson() ?? default;
        return BuildRequest(key, stored, [BuildChange(entity, stored, edit, document)], document);
    }

    private WriteRequest BuildRequest(RequestKey key, Stored stored, List<Change> changes, ReadOnlyMemory<byte> documents) =>
        new(
            call.Caller, WriteScope.Push, key.Value, key.Value is null ? default : key.Body, changes,
            stored.HistoryState.Token, Strict: true)
        { OnlyOnBase = true, Documents = documents };

    private Change BuildChange(EntityKey entity, Stored stored, Edit edit, ReadOnlyMemory<byte> document)
    {
        var version = stored.Row?.Version ?? 0;
        return document.IsEmpty
            ? new Change(entity.Type, entity.Id, default, Delete: true, BaseVersion: version, EventMs: NowMs)
            : new Change(entity.Type, entity.Id, new DocumentRange(0, document.Length), BaseVersion: version);
    }

    private void Check(WriteAnswer answer)
    {
        if (answer.Replayed) call.Http.Response.Headers[CommonHeaders.Replay] = "true";
        if (answer.Status == StatusCodes.Status200OK) return;

        // Strict: the answer lists the one item that was refused. It is read from the bytes, so that a replay says the same.
        var conflict = JsonMembers.ParseStored(answer.Body)["conflicts"].Elements() is [var only, ..] ? only.Members() : null;
        throw new RequestRefusedException(Problem.DocumentRefused, conflict?["message"].Text()) { Reason = conflict?["reason"].Text() };
    }
}

/// <summary>Times as a document of its own kind spells them.</summary>
internal static class DocumentTimes
{
    /// <summary>Says that <paramref name="document"/> was edited now, in the form it says so already.</summary>
    public static void SetUpdatedAt(this JsonMembers document, EntityType type, long nowMs)
    {
        var asNumber = type.Times is TimeForm.AsWritten && !document["updatedAt"].IsText;
        document["updatedAt"] = asNumber ? JsonValue.From(nowMs) : JsonValue.From(IsoTime.Text(nowMs));
    }

    public static long CreatedMs(this JsonMembers document, StoredRow row) =>
        document["createdAt"].TimeMs() ?? document["created_at"].TimeMs() ?? row.UpdatedAtMs;
}
