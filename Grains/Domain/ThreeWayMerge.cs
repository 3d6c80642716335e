namespace Mirubato.Grains.Domain;

/// <summary>The result of a merge.</summary>
/// <param name="Document">The stored document with what was new in the incoming one. Not yet normalized.</param>
/// <param name="TookAny">Something of the incoming document was new and did not lose.</param>
/// <param name="Lost">JSON pointers of the members in which the incoming document lost, in ordinal order.</param>
/// <param name="Replaced">Those in which it won over another device.</param>
internal sealed record MergeResult(
    ReadOnlyMemory<byte> Document, bool TookAny, IReadOnlyList<string> Lost, IReadOnlyList<string> Replaced);

/// <summary>
/// Three-way merge of JSON objects on their values (docs/protocol.md, Merge of fields): what the sender changed from its base is put into
/// the stored document, unless others changed the same member, later. Pure.
/// </summary>
internal sealed class ThreeWayMerge
{
    private const string Pieces = "pieces";

    private readonly IReadOnlyList<MergeVersion> versions;
    private readonly ChangeTime incoming;
    private readonly long nowMs;
    private readonly List<string> lost = [];
    private readonly List<string> replaced = [];
    private bool tookAny;

    private ThreeWayMerge(IReadOnlyList<MergeVersion> versions, ChangeTime incoming, long nowMs) =>
        (this.versions, this.incoming, this.nowMs) = (versions, incoming, nowMs);

    /// <param name="type">Says which members are one.</param>
    /// <param name="basis">What the sender changed.</param>
    /// <param name="versions">The states from the named base on, without a gap; the last is the stored one.</param>
    /// <param name="sent">The incoming document, normalized.</param>
    /// <param name="changeTime">When it counts as made.</param>
    public static MergeResult Merge(
        EntityType type, MergeValue basis, IReadOnlyList<MergeVersion> versions, MergeValue sent, ChangeTime changeTime, long nowMs)
    {
        var merge = new ThreeWayMerge(versions, changeTime, nowMs);
        var place = new Place("", basis, [.. versions.Select(version => version.Value)], sent, type == EntityTypes.LogbookEntry);
        var document = merge.Unite(place, MergeUnits.List(type, place.Stored, sent, basis));
        return new MergeResult(document.Raw, merge.tookAny, Sorted(merge.lost), Sorted(merge.replaced));
    }

    /// <summary>One object in all of the documents: the whole document, or one at the same pointer in each.</summary>
    /// <param name="Pointer">Its JSON pointer.</param>
    /// <param name="History">Its value in each of the versions.</param>
    /// <param name="IsEntry">The document is an entry: ids of its pieces do not count.</param>
    private sealed record Place(string Pointer, MergeValue Basis, MergeValue[] History, MergeValue Sent, bool IsEntry = false)
    {
        public MergeValue Stored => History[^1];

        public bool IsDocument => Pointer.Length == 0;

        public Place At(string name) =>
            new(Point(name), Read(Basis, name), [.. History.Select(value => Read(value, name))], Read(Sent, name));

        public string Point(string name) =>
            $"{Pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

        private MergeValue Read(MergeValue document, string name) =>
            IsEntry && name == Pieces ? document[name].AsItems() : document[name];
    }

    private MergeValue Unite(Place whole, IEnumerable<string[]> units)
    {
        var edits = new MergeEdits(whole.Stored, whole.Sent);
        foreach (var names in units) Unite(whole, [.. names.Select(name => (name, whole.At(name)))], edits);
        return edits.ToValue();
    }

    private void Unite(Place whole, (string Name, Place Place)[] unit, MergeEdits edits)
    {
        if (unit.All(member => member.Place.Sent.SameAs(member.Place.Basis))) return;
        if (whole.IsDocument && MergeUnits.IsBookkeeping(unit[0].Name))
        {
            if (IsUntouched(unit) || incoming.Beats(versions[^1].ChangeTime, nowMs)) Take(unit, edits);
        }
        else if (unit is [var (name, inner)] && inner.Basis.IsObject && inner.Stored.IsObject && inner.Sent.IsObject)
        {
            edits.Set(name, Unite(inner, MergeUnits.ListInside(inner.Stored, inner.Sent, inner.Basis)));
        }
        else if (IsNews(unit))
        {
            if (IsUntouched(unit) || WinsContest(unit))
            {
                Take(unit, edits);
                tookAny = true;
            }
        }
    }

    /// <summary>
    /// What is stored already is no news, and what a version between was like the sender had heard, or sent before. But a later item of a
    /// request may take back what an earlier one changed.
    /// </summary>
    private static bool IsNews((string Name, Place Place)[] unit)
    {
        var last = unit[0].Place.History.Length - 1;
        if (IsLike(last)) return false;
        if (IsLike(0)) return true;
        for (var at = 1; at < last; at++)
        {
            if (IsLike(at)) return false;
        }

        return true;

        bool IsLike(int at) => unit.All(member => member.Place.Sent.SameAs(member.Place.History[at]));
    }

    private static bool IsUntouched((string Name, Place Place)[] unit) =>
        unit.All(member => member.Place.Stored.SameAs(member.Place.Basis));

    private bool WinsContest((string Name, Place Place)[] unit)
    {
        if (FindLastChange(unit) is not { } stored) return true;
        var wins = incoming.Beats(stored, nowMs);
        if (wins && incoming.IsOfSameDevice(stored)) return true;
        var pointers = unit.Where(m => !m.Place.Sent.IsNothing || !m.Place.Stored.IsNothing).Select(m => m.Place.Pointer);
        (wins ? replaced : lost).AddRange(pointers);
        return wins;
    }

    /// <summary>The change that gave this very member its stored value; null when no version changed it.</summary>
    private ChangeTime? FindLastChange((string Name, Place Place)[] unit)
    {
        for (var at = versions.Count - 1; at > 0; at--)
        {
            if (!unit.All(member => member.Place.History[at].SameAs(member.Place.History[at - 1]))) return versions[at].ChangeTime;
        }

        return null;
    }

    private static void Take((string Name, Place Place)[] unit, MergeEdits edits)
    {
        foreach (var (name, place) in unit) edits.Set(name, place.Sent);
    }

    private static List<string> Sorted(List<string> pointers)
    {
        pointers.Sort(StringComparer.Ordinal);
        return pointers;
    }
}
