namespace Mirubato.Grains.Domain;

/// <summary>All that the rules look at in a change.</summary>
/// <param name="ClaimMs">The clock its writer wrote, Unix ms; null when it wrote none.</param>
/// <param name="Base">The version it names as its base; null when it names none.</param>
/// <param name="NamedVersion">The version its writer counts it as; it settles a tie and is no base. Null when the writer names none.</param>
/// <param name="BaseCounts">It came under a cursor of the current epoch, so that <paramref name="Base"/> means what it says.</param>
internal readonly record struct Arrival(
    bool IsDelete,
    long? ClaimMs,
    DeviceId? Device,
    Fingerprint Fingerprint,
    bool HasNaturalKey = false,
    long? Base = null,
    bool BaseCounts = false,
    long? NamedVersion = null)
{
    /// <summary>A change without a clock is as old as can be: it creates, but it never beats what is there.</summary>
    public long Claim => Math.Max(0, ClaimMs ?? 0);
}

internal enum Outcome
{
    /// <summary>Nothing new in it.</summary>
    Unchanged,

    /// <summary>It becomes the state of the entity.</summary>
    Applied,

    /// <summary>The entity's present state stands.</summary>
    Beaten,

    /// <summary>Beaten at equal stamps: the present state is announced again with a raised <c>updatedAt</c>, so that the beaten device takes it.</summary>
    BeatenInTie,
}

/// <param name="StampMs">For <see cref="Outcome.Applied"/>: what the change counts as.</param>
/// <param name="OutMs">For <see cref="Outcome.Applied"/> and <see cref="Outcome.BeatenInTie"/>: the <c>updatedAt</c> to send.</param>
/// <param name="KnewWhatItReplaces">It named the current version as its base.</param>
internal readonly record struct Verdict(
    Outcome Outcome, long StampMs = 0, long OutMs = 0, bool KnewWhatItReplaces = false, ItemRefusal Reason = ItemRefusal.None)
{
    public static Verdict Unchanged => new(Outcome.Unchanged);
}

/// <summary>
/// Last write wins that loses nothing: the rules of PROTOCOL.md, "Merge", in their order. Each clause is there because a random run of
/// devices with skewed clocks failed without it; <c>MergeModelTests</c> is that run.
/// </summary>
internal static class Merge
{
    /// <summary>Judges a change of an entity that is known, as a document or as a tombstone.</summary>
    public static Verdict Judge(in Arrival change, EntityHead head, long nowMs)
    {
        var stamp = StampOf(change, head, nowMs);
        if (IsSame(change, head) || IsTwin(change, head)) return Verdict.Unchanged;                                          // 1, 2
        if (change.BaseCounts && change.Base == head.Version) return ApplyOnBase(change, head, stamp);                        // 3
        if (head.IsDeleted && !change.HasNaturalKey) return new Verdict(Outcome.Beaten, Reason: ItemRefusal.Deleted);         // 4
        return LaterWins(change, head, stamp, nowMs);                                                                         // 5
    }

    /// <summary>A change of an entity that nobody has heard of.</summary>
    public static Verdict Create(in Arrival change, long nowMs) => new(Outcome.Applied, Math.Min(change.Claim, nowMs), change.Claim);

    /// <summary>
    /// Rule 1. Content that is there already takes no revision unless its writer's clock is past what was sent: then devices that compare
    /// <c>updatedAt</c> alone would keep theirs for ever, and rule 5 goes on.
    /// </summary>
    private static bool IsSame(in Arrival change, EntityHead head) =>
        change.IsDelete
            ? head.IsDeleted
            : !head.IsDeleted && change.Fingerprint == head.Fingerprint && (change.ClaimMs is null || change.Claim <= head.OutMs);

    /// <summary>Rule 2. One action sent by both paths, which differ in defaults and in whether they name the device.</summary>
    private static bool IsTwin(in Arrival change, EntityHead head) =>
        change.Base is null
        && change.ClaimMs is not null
        && change.Claim == head.ClaimMs
        && !change.IsDelete && !head.IsDeleted
        && change.Device is null != head.Device is null;

    /// <summary>Rule 3. The writer had seen what it replaces, so its clock does not matter.</summary>
    private static Verdict ApplyOnBase(in Arrival change, EntityHead head, long stamp) =>
        new(Outcome.Applied, Math.Max(stamp, head.StampMs + 1), Clocks.Out(change.Claim, head), KnewWhatItReplaces: true);

    /// <summary>Rule 5. Ties are settled alike on every node, and sent out with an <c>updatedAt</c> that both writers take for newer.</summary>
    private static Verdict LaterWins(in Arrival change, EntityHead head, long stamp, long nowMs)
    {
        var (headStamp, headClaim) = head.StampMs > nowMs ? (nowMs, Math.Min(head.ClaimMs, nowMs)) : (head.StampMs, head.ClaimMs);
        if (stamp != headStamp)
        {
            return stamp > headStamp
                ? new Verdict(Outcome.Applied, stamp, Clocks.Out(change.Claim, head))
                : new Verdict(Outcome.Beaten, Reason: ItemRefusal.Stale);
        }

        var raised = Math.Max(Math.Max(change.Claim, head.ClaimMs), head.OutMs) + 1;
        return WinsTie(change, head, headClaim)
            ? new Verdict(Outcome.Applied, stamp, raised)
            : new Verdict(Outcome.BeatenInTie, OutMs: raised, Reason: ItemRefusal.Stale);
    }

    /// <summary>A stale copy may claim an <c>updatedAt</c> that the server itself had raised: it is the older one all the same.</summary>
    private static bool WinsTie(in Arrival change, EntityHead head, long headClaim) =>
        IsStaleCopy(change, head) ? false
        : change.Claim != headClaim ? change.Claim > headClaim
        : change.IsDelete != head.IsDeleted ? change.IsDelete
        : change.NamedVersion is { } named && head.NamedVersion is { } known && named != known ? named > known
        : change.Fingerprint.Bits > head.Fingerprint.Bits;

    /// <summary>The copy that the present state replaced, sent again: it is answered, but nothing of it needs keeping.</summary>
    public static bool IsStaleCopy(in Arrival change, EntityHead head) =>
        !change.IsDelete
        && !change.Fingerprint.IsNone
        && change.Fingerprint == head.PreviousFingerprint
        && change.Claim <= head.PreviousOutMs;

    /// <summary>Whether the document that <paramref name="change"/> replaces must be kept: another device wrote it, and this one had not seen it.</summary>
    public static bool ReplacesUnseen(in Arrival change, EntityHead head, in Verdict verdict) =>
        !verdict.KnewWhatItReplaces
        && !head.IsDeleted
        && change.Fingerprint != head.Fingerprint
        && (change.Device is null || change.Device != head.Device);

    /// <summary>
    /// min(claim, now), and for an echo at most the stamp of its revision: a clock value that was in the future when it was sent must not
    /// count as later merely because time has caught up with it.
    /// </summary>
    private static long StampOf(in Arrival change, EntityHead head, long nowMs)
    {
        var stamp = Math.Min(change.Claim, nowMs);
        Echo? largest = null;
        foreach (var echo in head.Echoes)
        {
            if (echo.ClockMs == change.Claim) stamp = Math.Min(stamp, echo.StampMs);
            if (echo.Device is not null && echo.Device == change.Device && !(largest?.ClockMs >= echo.ClockMs)) largest = echo;
        }

        return largest is { } own && change.Claim <= own.ClockMs && !WasSetRight(own.ClockMs, change.Claim, nowMs)
            ? Math.Min(stamp, own.StampMs)
            : stamp;
    }

    private static bool WasSetRight(long ownClockMs, long claimMs, long nowMs) =>
        ownClockMs > nowMs + Limits.ClockSetRightMs && claimMs <= nowMs + Limits.ClockSetRightMs;
}
