using Mirubato.Grains.Domain;

namespace Mirubato.Grains;

/// <summary>
/// Takes back what arrived after a time, a page of entities at a time: reads, plans, and writes through the queue like any change. An
/// entity that changed since it was planned is planned again.
/// </summary>
internal sealed class Rewinding(UserId user, CoordinatorContext silo, WriteQueue queue)
{
    private readonly List<Rewound> done = [];
    private RequestRefusal refusal;

    public async ValueTask<RewindReport> Page(RewindRequest request)
    {
        var (after, seen) = (request.After, 0);
        while (refusal is RequestRefusal.None)
        {
            var changed = await silo.Store.ChangedSince(user, request.ToMs, after, Limits.FeedRowsMax, NoCancellation);
            seen += changed.Count;
            if (changed.Count > 0) after = changed[^1].Entity;
            await Rewind(request, [.. changed.Select(state => state.Entity).Where(entity => IsWanted(request, entity))]);
            if (changed.Count < Limits.FeedRowsMax) return new RewindReport(refusal, done, Next: null);
            if (seen >= Limits.RewindEntitiesMax) return new RewindReport(refusal, done, after);
        }

        return new RewindReport(refusal, [], Next: null);
    }

    /// <summary>Work that has begun is finished, also if its caller has hung up.</summary>
    private static CancellationToken NoCancellation => CancellationToken.None;

    private static bool IsWanted(RewindRequest request, EntityKey entity) => request.Types?.Contains(entity.Type) ?? true;

    private async ValueTask Rewind(RewindRequest request, List<EntityKey> entities)
    {
        for (var tries = 0; entities.Count > 0 && refusal is RequestRefusal.None; tries++)
        {
            var steps = new List<RewindStep>();
            foreach (var entity in entities) steps.Add(await Plan(request, entity));
            var writes = request.DryRun ? [] : steps.FindAll(step => step.Writes);
            done.AddRange(steps.Except(writes).Where(step => step.Action is not RewindAction.None).Select(Report));
            var written = writes.Count == 0 ? [] : await Write(request.Caller, writes);
            entities = [.. writes.Select(step => step.Entity).Where(entity => !written.Contains(entity))];
            if (tries < Limits.RewindTriesMax || entities.Count == 0) continue;
            done.AddRange(entities.Select(entity => new Rewound(entity, RewindAction.Moved, 0)));
            return;
        }
    }

    private async ValueTask<RewindStep> Plan(RewindRequest request, EntityKey entity)
    {
        var states = await silo.Store.History(user, entity, long.MaxValue, Limits.RewindVersionsMax, NoCancellation);
        states.Reverse();
        if (states is not [.., { ReplacedMs: null }]) return new RewindStep(entity, RewindAction.Unknown, 0);
        var plan = new RewindPlan(states, request.ToMs);
        var step = request.Device is { } device ? plan.WithoutDevice(device, EntityTypes.Find(entity.Type)!) : plan.ToTime();
        return IsHere(step, states[^1]) ? step with { Action = RewindAction.None } : step;
    }

    private bool IsHere(RewindStep step, StoredVersion present) =>
        step.Action is RewindAction.Changed
        && ItemParser.Read(step.ToChange(), step.Document, user).Fingerprint == present.Fingerprint;

    /// <summary>Answers the entities that have been decided on the version they were planned on.</summary>
    private async ValueTask<HashSet<EntityKey>> Write(Caller caller, List<RewindStep> steps)
    {
        var answer = await queue.Run(QueuedWrite.Rewinding(steps, caller, silo.NowMs));
        refusal = answer.Refusal;
        var actions = steps.ToDictionary(step => step.Entity, step => step.Action);
        foreach (var item in answer.Items ?? [])
        {
            var action = item.Status is ItemStatus.Refused ? RewindAction.Refused : actions[item.Entity];
            if (item.Status is not ItemStatus.Unchanged) done.Add(new Rewound(item.Entity, action, item.Version));
        }

        return [.. (answer.Items ?? []).Select(item => item.Entity)];
    }

    private static Rewound Report(RewindStep step) => new(step.Entity, step.Action, step.Version);
}
