using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

internal static class GoalEndpoints
{
    private const string Absent = "There is no such goal; GET /api/goals lists them.";

    private static readonly Parameter Status = new("status", true, "Only goals of this status.");
    private static readonly Parameter Kind = new("type", true, "Only goals of this type.");
    private static readonly Parameter Score = new("scoreId", true, "Only goals of this piece, in whatever spelling.");

    public static void MapGoals(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/goals", List).Says("The goals, newest first.")
            .Takes(Status, Kind, Score).Gives<GoalsAnswer>().Fails(413);
        app.MapGet("/api/goals/{id}", Get).Says("One goal, with the time practiced for it.").Gives<Goal>().Fails(404);
        app.MapPost("/api/goals", Add).Says("Sets a goal; without an id it gets one.")
            .Takes(Header.Key, Header.StandardKey).Reads<NewGoal>().Produces<Goal>(201).Fails(413, 415, 422);
        app.MapPut("/api/goals/{id}", Change).Says("Changes the members that are sent; the others stay.")
            .Takes(Header.Key, Header.StandardKey).Reads<NewGoal>().Gives<MessageAnswer>().Replays().Fails(404, 413, 415, 422);
        app.MapDelete("/api/goals/{id}", Remove).Says("Gives a goal up for good.")
            .Takes(Header.Key, Header.StandardKey).Gives<MessageAnswer>().Replays().Fails(404, 422);
        app.MapPost("/api/goals/{id}/progress", Progress).Says("Adds to a goal; at its target it is completed.")
            .Takes(Header.Key, Header.StandardKey).Reads<GoalProgress>().Gives<ProgressAnswer>().Replays().Fails(404, 413, 415, 422);
    }

    private static async Task List(Call call, BodyBudget budget, Logbooks logbooks, UserConcurrency concurrency)
    {
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var rows = await Logbook.Held(call, GoalDocuments.Type, budget);
        var found = rows.Select(row => (Row: row, Document: JsonMembers.ParseStored(row.Data)))
            .Where(goal => IsAskedFor(call.Http, goal.Document))
            .ToList();
        var entries = found.Count == 0 ? [] : await logbooks.Find(call);
        var byGoal = entries.SelectMany(
            entry => entry.GoalIds.Select(id => (Id: id, Entry: entry))).ToLookup(one => one.Id, one => one.Entry);
        var goals = found.Select(goal => GoalDocuments.Goal(goal.Row, goal.Document, Practice.From(byGoal[goal.Row.Entity.Id])));
        await call.Http.Answer(
            new GoalsAnswer([.. goals.OrderByDescending(goal => goal.CreatedAt).ThenBy(goal => goal.Id, StringComparer.Ordinal)]),
            WebAppJson.Default.GoalsAnswer);
    }

    private static bool IsAskedFor(HttpContext http, JsonMembers goal)
    {
        var (status, type, score) = (
            RedactedQuery.Read(http, "status"), RedactedQuery.Read(http, "type"), RedactedQuery.Read(http, "scoreId"));
        return (status.Length == 0 || status == (goal["status"].Text() ?? GoalDocuments.FirstStatus))
            && (type.Length == 0 || type == goal["type"].Text())
            && (
                score.Length == 0
                    || Nfc.AreEqual(ScoreIds.NormalizeExisting(score), ScoreIds.NormalizeExisting(GoalDocuments.FindScoreId(goal) ?? "")));
    }

    private static async Task Get(Call call, Logbooks logbooks, UserConcurrency concurrency)
    {
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var stored = await new Documents(call).Get(GoalDocuments.Type, PathId.Parse(call.Http), Absent);
        await call.Http.Answer(await BuildGoal(call, stored, logbooks), WebAppJson.Default.Goal);
    }

    private static async Task Add(Call call, RequestBodies bodies, Logbooks logbooks, UserConcurrency concurrency)
    {
        var body = await bodies.Read(call.Http, call.Caller.User);
        var sent = JsonMembers.ParseRequest(body);
        GoalDocuments.Check(sent);
        sent.RequiredText("title");
        var key = RequestKey.From(call, body);
        var id = GoalDocuments.FindId(sent, key);
        var documents = new Documents(call);
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        await documents.Update(GoalDocuments.Type, id, key, stored =>
            stored.IsLive ? Edit.No(Problem.AlreadyExists, "There is a goal with this id; change it with PUT /api/goals/{id}.")
            : stored.IsDeleted ? Edit.No(
                Problem.AlreadyExists, "A goal with this id was deleted, and ids do not come back; use a new one, or none.")
            : new Edit(GoalDocuments.Document(sent, documents.NowMs)));
        var goal = await BuildGoal(call, await documents.Get(GoalDocuments.Type, id, Absent), logbooks);
        await call.Http.Answer(goal, WebAppJson.Default.Goal, StatusCodes.Status201Created);
    }

    private static async Task Change(Call call, RequestBodies bodies)
    {
        var body = await bodies.Read(call.Http, call.Caller.User);
        var sent = JsonMembers.ParseRequest(body);
        GoalDocuments.Check(sent);
        await new Documents(call).EditLive(
            GoalDocuments.Type, PathId.Parse(call.Http), RequestKey.From(call, body), Absent, document => document.Merge(sent));
        await call.Http.Answer(new MessageAnswer("Goal updated"), WebAppJson.Default.MessageAnswer);
    }

    private static async Task Remove(Call call)
    {
        await new Documents(call).EditLive(
            GoalDocuments.Type, PathId.Parse(call.Http), RequestKey.From(call, default), Absent, change: null);
        await call.Http.Answer(new MessageAnswer("Goal deleted"), WebAppJson.Default.MessageAnswer);
    }

    private static async Task Progress(Call call, RequestBodies bodies)
    {
        var body = await bodies.Read(call.Http, call.Caller.User);
        var sent = JsonMembers.ParseRequest(body);
        var value = sent.OptionalNumber("value") ?? throw Fields.Wrong("$.value", "must be a number");
        var notes = sent.OptionalText("notes");
        var (documents, id) = (new Documents(call), PathId.Parse(call.Http));
        await documents.EditLive(
            GoalDocuments.Type, id, RequestKey.From(call, body), Absent, document => GoalDocuments.Progress(
                document, value, notes, documents.NowMs));
        var goal = await documents.Get(GoalDocuments.Type, id, Absent);
        var shown = GoalDocuments.Goal(goal.Row!, goal.Members, new Practice());
        var answer = new ProgressAnswer(
            "Progress added", shown.CurrentValue, shown.TargetValue, shown.Status, shown.Status == GoalDocuments.LastStatus);
        await call.Http.Answer(answer, WebAppJson.Default.ProgressAnswer);
    }

    private static async ValueTask<Goal> BuildGoal(Call call, Stored stored, Logbooks logbooks)
    {
        var practice = Practice.From((await logbooks.Find(call)).Where(entry => entry.GoalIds.Contains(stored.Row!.Entity.Id)));
        return GoalDocuments.Goal(stored.Row!, stored.Members, practice) with { TotalPracticeTime = practice.Total };
    }
}
