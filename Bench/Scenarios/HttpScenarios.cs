using System.Text.Json;

namespace Mirubato.Bench.Scenarios;

/// <summary>Everything the http verb measures, in the order it is measured and printed.</summary>
internal static class HttpScenarios
{
    private const int LogbookEntries = 2000;
    private const int EditedEntries = 500;
    private const int BatchEntities = 1000;
    private const string NoConflicts = "\"conflicts\":[]";

    public static readonly IReadOnlyList<Scenario> All =
    [
        new("push-1", "push of 1 new entry", user => Fresh(user.Push(1)), Accepts(1)),
        new("push-10", "push of 10 new entries", user => Fresh(user.Push(10)), Accepts(10)),
        new("edit-1", "push of 1 edit", user => Fresh(user.Edit(EditedEntries)), Accepts(1)),
        new("replay", "replay of a push", Replay, Accepts(1) with { Replayed = true }),
        new("repush-2000", "re-push of 2,000 unchanged", UnchangedLogbook, new(200, NothingDone) { Contains = NoConflicts })
        {
            OneAtATime = true,
            UsersMax = 4,
        },
        new("pull-100", "pull of 100", user => BuildPull(user, 100), Delivers(100)),
        new("pull-1000", "pull of 1,000", user => BuildPull(user, 1000), Delivers(1000)),
        new("pull-304", "pull answered 304", PullUnchanged, new(304)),
        new("status", "status", Status, new(200, StatusShape) { Contains = "\"syncToken\"" }),
        new("batch-1000", "batch of 1,000 new", user => Fresh(user.Batch(BatchEntities)), new(200, AllUploaded))
        {
            OneAtATime = true,
        },
        Grown(100),
        Grown(100_000),
    ];

    private static Task<RequestTemplate> Fresh(RequestTemplate template) => Task.FromResult(template);

    /// <summary>How much dearer a push is that comes on top of so many entities.</summary>
    private static Scenario Grown(int entities) =>
        new($"grown-{entities}", $"push of 1 new entry after {entities:N0}", user => Grow(user, entities), Accepts(1))
        {
            OneAtATime = true,
            UsersMax = 1,
        };

    private static async Task<RequestTemplate> Grow(ScenarioUser user, int entities)
    {
        for (var left = entities; left > 0; left -= BatchEntities)
            await user.Send(user.Batch(Math.Min(left, BatchEntities)));
        return user.Push(1);
    }

    private static async Task<RequestTemplate> Replay(ScenarioUser user)
    {
        var push = user.Push(1);
        await user.Send(push);
        return push.Freeze();
    }

    // Without a key: the server has to find out by itself that nothing changed.
    private static async Task<RequestTemplate> UnchangedLogbook(ScenarioUser user)
    {
        var push = user.Push(LogbookEntries, keyed: false);
        await user.Send(push);
        return push.Freeze();
    }

    private static async Task<RequestTemplate> BuildPull(ScenarioUser user, int count)
    {
        await user.Send(user.Push(count));
        return user.Pull();
    }

    private static async Task<RequestTemplate> PullUnchanged(ScenarioUser user)
    {
        await user.Send(user.Push(100));
        var tag = await user.Send(user.Pull());
        return tag.Length > 0 ? user.Pull(tag) : throw new BenchFailure("The server's pull has no ETag, so none can be answered 304.");
    }

    private static async Task<RequestTemplate> Status(ScenarioUser user)
    {
        await user.Send(user.Push(10));
        return user.Status();
    }

    private static Expectation Accepts(int count) =>
        new(200, answer => Conflicts(answer) ?? Processed(answer, count)) { Contains = NoConflicts };

    private static Expectation Delivers(int count) => new(200, answer => Counted("entries", answer.GetProperty("entries"), count))
    {
        // An entry is well over 400 bytes; the first answer was counted, this notices when later ones shrink.
        BodyBytesMin = count * 350,
    };

    private static string? Processed(JsonElement answer, int count) =>
        answer.GetProperty("stats").GetProperty("entriesProcessed").GetInt32() is var processed && processed != count
            ? $"entriesProcessed is {processed} instead of {count}." : null;

    private static string? NothingDone(JsonElement answer) =>
        Conflicts(answer) ?? (answer.TryGetProperty("results", out var results) ? Counted("results", results, 0) : null);

    private static string? AllUploaded(JsonElement answer) =>
        Conflicts(answer) ?? (answer.GetProperty("uploaded").GetInt32() is var uploaded && uploaded != BatchEntities
            ? $"uploaded is {uploaded} instead of {BatchEntities}." : null);

    private static string? StatusShape(JsonElement answer) =>
        answer.GetProperty("entityCount").GetInt32() is var count && count != 10 ? $"entityCount is {count} instead of 10." : null;

    private static string? Conflicts(JsonElement answer) => Counted("conflicts", answer.GetProperty("conflicts"), 0);

    private static string? Counted(string member, JsonElement array, int count) =>
        array.GetArrayLength() == count ? null : $"{array.GetArrayLength()} {member} instead of {count}.";
}
