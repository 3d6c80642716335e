namespace Mirubato.Grains.Domain;

/// <summary>All that the rules look at in a change.</summary>
/// <param name="ClientMs">The clock its writer wrote, Unix ms; null when it wrote none.</param>
/// <param name="Base">The version it names as its base; null when it names none.</param>
/// <param name="NamedVersion">
/// The version its writer counts it as; it settles a tie and is no base. Null when the writer names none.
/// </param>
/// <param name="BaseCounts">It came under a cursor of the current epoch, so that <paramref name="Base"/> means what it says.</param>
internal readonly record struct IncomingChange(
    bool IsDelete,
    long? ClientMs,
    DeviceId? Device,
    Fingerprint Fingerprint,
    bool HasNaturalKey = false,
    long? Base = null,
    bool BaseCounts = false,
    long? NamedVersion = null)
{
    /// <summary>A change without a clock is as old as can be: it creates, but it never beats what is there.</summary>
    public long ClientTime => Math.Max(0, ClientMs ?? 0);
}

internal enum Outcome
{
    /// <summary>Nothing new in it.</summary>
    Unchanged,

    /// <summary>It becomes the state of the entity.</summary>
    Applied,

    /// <summary>The entity's present state stands.</summary>
    Beaten,

    /// <summary>
    /// Beaten at equal effective times: the present state is announced again with a raised <c>updatedAt</c>, so that the beaten
    /// device takes it.
    /// </summary>
    BeatenInTie,
}

/// <param name="EffectiveMs">For <see cref="Outcome.Applied"/>: what the change counts as.</param>
/// <param name="PublishedMs">For <see cref="Outcome.Applied"/> and <see cref="Outcome.BeatenInTie"/>: the <c>updatedAt</c> to send.</param>
/// <param name="KnewWhatItReplaces">It named the current version as its base.</param>
internal readonly record struct Verdict(
    Outcome Outcome, long EffectiveMs = 0, long PublishedMs = 0, bool KnewWhatItReplaces = false, ItemRefusal Reason = ItemRefusal.None)
{
    /// <summary>For <see cref="Outcome.Unchanged"/>: one action came by two paths.</summary>
    public bool IsTwin { get; init; }

    public static Verdict Unchanged => new(Outcome.Unchanged);

    public static Verdict Twin => new(Outcome.Unchanged) { IsTwin = true };
}

/// <summary>
/// The merge rules of docs/protocol.md, "Merge", in their order: the last write wins, and nothing is lost. Rule 3b, the merge of fields, is
/// in <see cref="ThreeWayMerge"/>; <see cref="Deciding"/> asks it between rules 3 and 4. Each clause is there because a random run of
/// devices with skewed clocks failed without it; <c>MergeModelTests</c> is that run.
/// </summary>
internal static class Merge
{
    /// <summary>Judges a change of an entity that is known, as a document or as a tombstone.</summary>
    public static Verdict Judge(in IncomingChange change, EntityHead head, long nowMs) =>
        JudgeSeen(change, head, nowMs) ?? JudgeUnseen(change, head, nowMs);

    /// <summary>Rules 1 to 3: there is nothing new in it, or its writer had seen what it replaces. Null when none of them fits.</summary>
    public static Verdict? JudgeSeen(in IncomingChange change, EntityHead head, long nowMs)
    {
        if (IsSame(change, head)) return Verdict.Unchanged;                                                                        // 1
        if (IsTwin(change, head)) return Verdict.Twin;                                                                             // 2
        if (change.BaseCounts && change.Base == head.Version) return ApplyOnBase(change, head, EffectiveTime(change, head, nowMs)); // 3
        return null;
    }

    /// <summary>Rules 4 and 5, where neither an earlier rule nor a merge of fields (rule 3b) fits.</summary>
    public static Verdict JudgeUnseen(in IncomingChange change, EntityHead head, long nowMs)
    {
        if (head.IsDeleted && !change.HasNaturalKey) return new Verdict(Outcome.Beaten, Reason: ItemRefusal.Deleted);         // 4
        return LaterWins(change, head, EffectiveTime(change, head, nowMs), nowMs);                                            // 5
    }

    /// <summary>A change of an unknown entity.</summary>
    public static Verdict Create(in IncomingChange change, long nowMs) =>
        new(Outcome.Applied, Math.Min(change.ClientTime, nowMs), change.ClientTime);

    /// <summary>
    /// Rule 1. Content that is there already takes no revision unless its writer's clock is past what was sent: then devices that compare
    /// <c>updatedAt</c> alone would keep theirs for ever, and rule 5 goes on.
    /// </summary>
    private static bool IsSame(in IncomingChange change, EntityHead head) =>
        change.IsDelete
            ? head.IsDeleted
            : !head.IsDeleted && change.Fingerprint == head.Fingerprint && (
                change.ClientMs is null || change.ClientTime <= head.PublishedMs);

    /// <summary>
    /// Rule 2. One action sent by both paths, which differ in defaults and in whether they name the device. A merged state is made of
    /// several actions, whose own clocks are among its echoes.
    /// </summary>
    private static bool IsTwin(in IncomingChange change, EntityHead head)
    {
        if (change.Base is not null || change.ClientMs is null || change.IsDelete || head.IsDeleted) return false;
        var (clock, isUnknown) = (change.ClientTime, change.Device is null);
        return (head.ClientMs == clock && head.MergedIn is null && head.Device is null != isUnknown)
            || head.Echoes.Any(echo => echo.IsMerged && echo.ClockMs == clock && echo.Device is null != isUnknown);
    }

    /// <summary>Rule 3. The writer had seen what it replaces, so its clock does not matter.</summary>
    private static Verdict ApplyOnBase(in IncomingChange change, EntityHead head, long effective) =>
        new(
            Outcome.Applied, Math.Max(effective, head.EffectiveMs + 1), Clocks.PublishedTime(change.ClientTime, head),
            KnewWhatItReplaces: true);

    /// <summary>
    /// Rule 5. Ties are settled alike on every node, and sent out with an <c>updatedAt</c> that both writers take for newer.
    /// </summary>
    private static Verdict LaterWins(in IncomingChange change, EntityHead head, long effective, long nowMs)
    {
        var (headEffective, headClient) = head.EffectiveMs > nowMs
            ? (nowMs, Math.Min(head.ClientMs, nowMs))
            : (head.EffectiveMs, head.ClientMs);
        if (effective != headEffective)
        {
            return effective > headEffective
                ? new Verdict(Outcome.Applied, effective, Clocks.PublishedTime(change.ClientTime, head))
                : new Verdict(Outcome.Beaten, Reason: ItemRefusal.Stale);
        }

        var raised = Math.Max(Math.Max(change.ClientTime, head.ClientMs), head.PublishedMs) + 1;
        return WinsTie(change, head, headClient)
            ? new Verdict(Outcome.Applied, effective, raised)
            : new Verdict(Outcome.BeatenInTie, PublishedMs: raised, Reason: ItemRefusal.Stale);
    }

    /// <summary>A stale copy may carry an <c>updatedAt</c> that the server itself had raised: it is the older one all the same.</summary>
    private static bool WinsTie(in IncomingChange change, EntityHead head, long headClient) =>
        IsStaleCopy(change, head) ? false
        : change.ClientTime != headClient ? change.ClientTime > headClient
        : change.IsDelete != head.IsDeleted ? change.IsDelete
        : change.NamedVersion is { } named && head.NamedVersion is { } known && named != known ? named > known
        : change.Fingerprint.Bits > head.Fingerprint.Bits;

    /// <summary>The copy that the present state replaced, sent again: it is answered, but nothing of it needs keeping.</summary>
    public static bool IsStaleCopy(in IncomingChange change, EntityHead head) =>
        !change.IsDelete
        && !change.Fingerprint.IsNone
        && change.Fingerprint == head.PreviousFingerprint
        && change.ClientTime <= head.PreviousPublishedMs;

    /// <summary>
    /// Whether the document that <paramref name="change"/> replaces must be kept: another device wrote it, and this one had not seen it.
    /// </summary>
    public static bool ReplacesUnseen(in IncomingChange change, EntityHead head, in Verdict verdict) =>
        !verdict.KnewWhatItReplaces
        && !head.IsDeleted
        && change.Fingerprint != head.Fingerprint
        && (change.Device is null || change.Device != head.Device);

    /// <summary>
    /// min(clientTime, now), and for an echo at most the effective time of its revision: a clock value that was in the future when it was
    /// sent must not count as later merely because time has caught up with it.
    /// </summary>
    public static long EffectiveTime(in IncomingChange change, EntityHead head, long nowMs)
    {
        var effective = Math.Min(change.ClientTime, nowMs);
        Echo? largest = null;
        foreach (var echo in head.Echoes)
        {
            if (echo.ClockMs == change.ClientTime) effective = Math.Min(effective, echo.EffectiveMs);
            if (echo.Device is not null && echo.Device == change.Device && !(largest?.ClockMs >= echo.ClockMs)) largest = echo;
        }

        return largest is { } own && change.ClientTime <= own.ClockMs && !WasSetRight(own.ClockMs, change.ClientTime, nowMs)
            ? Math.Min(effective, own.EffectiveMs)
            : effective;
    }

    private static bool WasSetRight(long ownClockMs, long clientMs, long nowMs) =>
        ownClockMs > nowMs + Limits.ClockSetRightMs && clientMs <= nowMs + Limits.ClockSetRightMs;
}
