namespace Mirubato.Gateway.Socket;

/// <summary>
/// Which entities a socket was sent within the last minute. What was on the wire while its client deleted an entity, or replaced a plan,
/// undoes that there: existing clients keep no tombstones, and overwrite plans without a look at the clock. What has a natural key may
/// have been deleted elsewhere and added again here, when the deletion arrives. Such a change goes back to its sender too.
/// Which it was sent since its write began, and of what revision, says which winning copies that write's client has no need of.
/// Not synchronized; it is part of a <see cref="StreamPosition"/>.
/// </summary>
internal sealed class RecentlySent
{
    /// <summary>Past it everything counts as sent.</summary>
    public const int EntitiesMax = 4_096;
    public const int ForgetEveryMs = 30_000;

    /// <summary>Past it no more is noted of what is sent during a write. A copy may then be sent again, which does no harm.</summary>
    public const int MeanwhileMax = 64;

    private HashSet<int>? now;
    private HashSet<int>? before;
    private long turnedMs;
    private bool isWriting;
    private Dictionary<EntityKey, long>? meanwhile;

    public void Add(EntityKey entity, long seq)
    {
        now ??= [];
        if (now.Count <= EntitiesMax) now.Add(entity.GetHashCode());
        if (!isWriting) return;
        meanwhile ??= [];
        if (meanwhile.Count < MeanwhileMax) meanwhile[entity] = seq;
    }

    public void BeginWrite() => (isWriting, meanwhile) = (true, null);

    public void EndWrite() => (isWriting, meanwhile) = (false, null);

    /// <summary>Revisions begin anew.</summary>
    public void StartOver() => meanwhile = null;

    /// <summary>Whether this revision of the entity, or a later one, was sent since the write that is under way began.</summary>
    public bool HoldsSinceWrite(EntityKey entity, long seq) => meanwhile?.GetValueOrDefault(entity) >= seq;

    public bool Holds(EntityKey entity) => Holds(now, entity) || Holds(before, entity);

    /// <summary>Remembers for one turn to two.</summary>
    public void Turn(long nowMs)
    {
        if (nowMs - turnedMs < ForgetEveryMs) return;
        (before, now, turnedMs) = (now, null, nowMs);
    }

    /// <summary>Whether its sender may hold something else by now, because of another change that it received in between.</summary>
    public static bool Matters(StoredRow row) =>
        row.DeletedAtMs is not null
        || row.Entity.Type == EntityTypes.PracticePlan.Name
        || row.Entity.Type == EntityTypes.PlanOccurrence.Name
        || EntityTypes.Find(row.Entity.Type)?.HasNaturalKey is true;

    private static bool Holds(HashSet<int>? set, EntityKey entity) =>
        set is not null && (set.Count > EntitiesMax || set.Contains(entity.GetHashCode()));
}
