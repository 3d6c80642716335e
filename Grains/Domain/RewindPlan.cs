namespace Mirubato.Grains.Domain;

/// <summary>What is to become of one entity.</summary>
/// <param name="Version">The one it was planned on.</param>
/// <param name="Document">The state to store; empty where it is deleted, or nothing is stored.</param>
internal sealed record RewindStep(EntityKey Entity, RewindAction Action, long Version, ReadOnlyMemory<byte> Document = default)
{
    public bool Writes => Action is RewindAction.Changed or RewindAction.Deleted or RewindAction.Restored;

    public Change ToChange() => new(
        Entity.Type, Entity.Id, new DocumentRange(0, Document.Length), Delete: Action is RewindAction.Deleted, BaseVersion: Version);
}

/// <summary>
/// Plans how to take back what arrived after a time (docs/protocol.md, Rewind), of one entity. What cannot be known is left alone. Pure.
/// </summary>
/// <param name="states">What is known of the entity, oldest first; the present state is the last.</param>
internal sealed class RewindPlan(IReadOnlyList<StoredVersion> states, long toMs)
{
    private StoredVersion Present => states[^1];

    /// <summary>Back to how it stood.</summary>
    public RewindStep ToTime()
    {
        if (states.FirstOrDefault(state => state.ArrivedMs <= toMs && state.ReplacedMs > toMs) is { } stood)
        {
            return stood.Fingerprint == Present.Fingerprint ? Step(RewindAction.None) : Store(stood.Data);
        }

        var isNewer = Present.CreatedMs > toMs && states.All(state => state.ArrivedMs > toMs);
        return isNewer ? Store(default) : Step(RewindAction.Unknown);
    }

    /// <summary>Without what one device did, the newest first; what others did since stays.</summary>
    public RewindStep WithoutDevice(DeviceId device, EntityType type)
    {
        var state = Present.Data;
        for (var at = states.Count - 1; at >= 0; at--)
        {
            var done = states[at];
            if (done.ChangeTime.Device != device || done.ArrivedMs <= toMs) continue;
            var isFirst = at == 0 && done.ArrivedMs == Present.CreatedMs;
            if (!isFirst && (at == 0 || states[at - 1].Version != done.Version - 1)) return Step(RewindAction.Unknown);
            var before = isFirst ? default : states[at - 1].Data;
            var othersSince = states.Skip(at + 1).Any(later => later.ChangeTime.Device != device);
            state = Undo(type, state, done.Data, before, othersSince);
        }

        return state.IsEmpty == Present.IsDeleted && state.Span.SequenceEqual(Present.Data.Span) ? Step(RewindAction.None) : Store(state);
    }

    /// <summary>An empty document is a deleted state.</summary>
    private static ReadOnlyMemory<byte> Undo(
        EntityType type, ReadOnlyMemory<byte> now, ReadOnlyMemory<byte> done, ReadOnlyMemory<byte> before, bool othersSince)
    {
        // It deleted the entity, created it, or brought it back: taken back only if that is the last that was done to it.
        if (done.IsEmpty || before.IsEmpty) return othersSince ? now : before;
        if (now.IsEmpty) return now;

        // Where others changed the same member later, theirs is the later change.
        var never = new ChangeTime(long.MinValue, long.MinValue, null);
        MergeVersion[] since = [new(0, done, 0, never), new(1, now, 0, never with { EffectiveMs = 0 })];
        return ThreeWayMerge.Merge(type, since[0].Value, since, new MergeValue(before), never, long.MaxValue).Document;
    }

    private RewindStep Store(ReadOnlyMemory<byte> document) =>
        document.IsEmpty ? Step(Present.IsDeleted ? RewindAction.None : RewindAction.Deleted)
        : Step(Present.IsDeleted ? RewindAction.Restored : RewindAction.Changed) with { Document = document };

    private RewindStep Step(RewindAction action) => new(Present.Entity, action, Present.Version);
}
