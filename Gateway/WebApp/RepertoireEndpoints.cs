using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

/// <summary>The pieces a user plays, by score id in whatever spelling.</summary>
internal static class RepertoireEndpoints
{
    private const string Absent = "This piece is not in the repertoire; GET /api/repertoire lists what is.";

    /// <summary>Sessions told one by one.</summary>
    private const int SessionsMax = 50;

    public static void MapRepertoire(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/repertoire", List).Says("The repertoire, newest first, with what the entries add up to.")
            .Gives<RepertoireAnswer>().Fails(413);
        app.MapPost("/api/repertoire", Add).Says("Takes a piece into the repertoire.")
            .Takes(Header.Key, Header.StandardKey).Reads<NewRepertoireItem>().Produces<RepertoireItem>(201).Fails(413, 415, 422);
        app.MapPut("/api/repertoire/{scoreId}", Change).Says("Changes the members that are sent; the others stay.")
            .Takes(Header.Key, Header.StandardKey).Reads<RepertoireChange>().Gives<MessageAnswer>().Replays().Fails(404, 413, 415, 422);
        app.MapDelete("/api/repertoire/{scoreId}", Remove).Says("Takes a piece out; entries stay as they are.")
            .Takes(Header.Key, Header.StandardKey).Gives<MessageAnswer>().Replays().Fails(404, 422);
        app.MapDelete("/api/repertoire/{scoreId}/dissociate", Dissociate).Says(
            "Takes a piece out; entries stay and keep its name in themselves.")
            .Gives<DissociatedAnswer>().Fails(404);
        app.MapGet("/api/repertoire/{scoreId}/stats", Stats).Says("One piece, and how it was practiced.")
            .Gives<RepertoireStatsAnswer>().Fails(404);
    }

    private static async Task List(Call call, BodyBudget budget, Logbooks logbooks, UserConcurrency concurrency)
    {
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var rows = await Logbook.Held(call, Repertoire.Type, budget);
        var byScore = (rows.Count == 0 ? [] : await logbooks.Find(call)).ToLookup(entry => entry.ScoreId);
        var items = rows.Select(
            row => Repertoire.Item(row, JsonMembers.ParseStored(row.Data), Practice.From(byScore[Nfc.Compose(row.Entity.Id)])));
        await call.Http.Answer(
            new RepertoireAnswer([.. items.OrderByDescending(item => item.CreatedAt).ThenBy(item => item.Id, StringComparer.Ordinal)]),
            WebAppJson.Default.RepertoireAnswer);
    }

    private static async Task Add(Call call, RequestBodies bodies, Logbooks logbooks, UserConcurrency concurrency)
    {
        var body = await bodies.Read(call.Http, call.Caller.User);
        var sent = JsonMembers.ParseRequest(body);
        Repertoire.Check(sent);
        var scoreId = Repertoire.FindScoreId(sent);
        var documents = new Documents(call);
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        await documents.Update(Repertoire.Type, scoreId, RequestKey.From(call, body), stored => stored.IsLive
            ? Edit.No(Problem.AlreadyExists, "This piece is in the repertoire already; change it with PUT /api/repertoire/{scoreId}.")
            : new Edit(Repertoire.Document(scoreId, sent, documents.NowMs)));
        var added = await documents.Get(Repertoire.Type, scoreId, Absent);
        var practice = Practice.From((await logbooks.Find(call)).Where(IsOf(scoreId)));
        await call.Http.Answer(
            Repertoire.Item(added.Row!, added.Members, practice), WebAppJson.Default.RepertoireItem, StatusCodes.Status201Created);
    }

    private static async Task Change(Call call, RequestBodies bodies)
    {
        var body = await bodies.Read(call.Http, call.Caller.User);
        var sent = JsonMembers.ParseRequest(body);
        Repertoire.Check(sent);
        sent.Remove("scoreId");
        sent.Remove("score_id");
        await new Documents(call).EditLive(
            Repertoire.Type, PathId.ParseScore(call.Http), RequestKey.From(call, body), Absent, document => document.Merge(sent));
        await call.Http.Answer(new MessageAnswer("Repertoire updated"), WebAppJson.Default.MessageAnswer);
    }

    private static async Task Remove(Call call)
    {
        await new Documents(call).EditLive(
            Repertoire.Type, PathId.ParseScore(call.Http), RequestKey.From(call, default), Absent, change: null);
        await call.Http.Answer(new MessageAnswer("Removed from the repertoire"), WebAppJson.Default.MessageAnswer);
    }

    /// <summary>The piece goes last: a call that broke off in the middle can be made again.</summary>
    private static async Task Dissociate(Call call, Logbooks logbooks, UserConcurrency concurrency)
    {
        var answer = await concurrency.Long(call.Caller.User, () => RemoveKeepingNames(call, logbooks));
        await call.Http.Answer(answer, WebAppJson.Default.DissociatedAnswer);
    }

    private static async ValueTask<DissociatedAnswer> RemoveKeepingNames(Call call, Logbooks logbooks)
    {
        var documents = new Documents(call);
        var scoreId = PathId.ParseScore(call.Http);
        var piece = (await documents.Get(Repertoire.Type, scoreId, Absent)).Members;
        var name = Repertoire.OwnName(piece)
            ?? (await logbooks.Find(call)).Where(IsOf(scoreId)).FirstOrDefault(entry => entry.Names.Count > 0)?.Names[0]
            ?? Repertoire.NameIn(scoreId)
            ?? new PieceName(scoreId, null);
        var (kept, _) = await Logbook.Edit(call, entry => KeepName(entry, scoreId, name));
        await documents.EditLive(Repertoire.Type, scoreId, default, Absent, change: null);
        return new DissociatedAnswer("Removed from the repertoire; its entries stay", kept, name.Title, name.Composer);
    }

    private static Func<EntryFacts, bool> IsOf(string scoreId)
    {
        var composed = Nfc.Compose(scoreId);
        return entry => entry.ScoreId == composed;
    }

    private static EntryEdit KeepName(LogbookEntry entry, string scoreId, PieceName name)
    {
        if (!Nfc.AreEqual(entry.ScoreId, scoreId)) return EntryEdit.Other;
        if (entry.Names.Any()) return EntryEdit.Fits;
        entry.Members["scoreTitle"] = JsonValue.From(name.Title);
        if (name.Composer is not null && entry.OwnComposer is null) entry.Members["scoreComposer"] = JsonValue.From(name.Composer);
        return EntryEdit.Changed;
    }

    private static async Task Stats(Call call, Logbooks logbooks, UserConcurrency concurrency)
    {
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var scoreId = PathId.ParseScore(call.Http);
        var documents = new Documents(call);
        var stored = await documents.Get(Repertoire.Type, scoreId, Absent);
        var practice = new Practice();
        var recent = new PriorityQueue<EntryFacts, long>();
        foreach (var entry in (await logbooks.Find(call)).Where(IsOf(scoreId)))
        {
            practice.Add(entry);
            if (entry.PlayedMs is not { } ms) continue;
            recent.Enqueue(entry, ms);
            if (recent.Count > SessionsMax) recent.Dequeue();
        }

        var sessions = new List<Session>();
        foreach (var (entry, ms) in recent.UnorderedItems.OrderByDescending(item => item.Priority))
        {
            sessions.Add(new Session(ms, entry.Duration, await Notes(documents, entry)));
        }
        var stats = new RepertoireStats(practice.Count, practice.Total, practice.Average, practice.LastMs, practice.FirstMs, sessions);
        await call.Http.Answer(
            new RepertoireStatsAnswer(Repertoire.Item(stored.Row!, stored.Members, practice), stats),
            WebAppJson.Default.RepertoireStatsAnswer);
    }

    private static async ValueTask<string?> Notes(Documents documents, EntryFacts entry)
    {
        var stored = await documents.Find(EntityTypes.LogbookEntry, entry.Id);
        return stored.IsLive ? new LogbookEntry(stored.Members).Notes : null;
    }
}
