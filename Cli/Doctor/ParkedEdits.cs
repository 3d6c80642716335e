namespace Mirubato.Cli.Doctor;

/// <summary>Edits that a device keeps back because the server refuses them: one line a reason, with what to do.</summary>
internal static class ParkedEdits
{
    private const string Check = "parked";
    private const int NamedMax = 3;
    private const string Again = "then sync.retry()";

    public static IEnumerable<Finding> Judge(BundleParked parked)
    {
        if (parked.Count == 0) return [Finding.Good(Check, "No edit is parked.")];
        var findings = parked.Edits.GroupBy(edit => edit.Reason).Select(Judge).ToList();
        var more = parked.Count - parked.Edits.Count;
        if (more > 0)
            findings.Add(Finding.Bad(Check, $"{more} more edits are parked, which the bundle does not name.", "Mend these first."));
        return findings;
    }

    private static Finding Judge(IGrouping<string, ParkedEdit> edits)
    {
        var (why, remedy) = Why(edits.Key);
        var named = string.Join(", ", edits.Take(NamedMax).Select(edit => $"{edit.Type} {edit.Id ?? "of the user"}"));
        var all = edits.Count() > NamedMax ? $"{named}, …" : named;
        var says = $"{edits.Count()} parked because {why} ({edits.Key}): {all}.";
        return edits.All(edit => edit.Retries) ? Finding.Warn(Check, $"{says} The device retries by itself.", remedy)
            : Finding.Bad(Check, says, remedy);
    }

    /// <summary>The reasons of items, and the errors that park an edit; docs/protocol.md lists them.</summary>
    internal static (string Why, string Remedy) Why(string reason) => reason switch
    {
        "stale" => ("a later change is stored", "sync.discard() shows it; the edit is in the conflict feed for 30 days."),
        "deleted" => ("another device deleted it", "sync.discard() takes the deletion over; the edit is in the conflict feed for 30 days."),
        "invalid" => ("it is no object with a usable id", $"Mend the app, write the document again, {Again}, or sync.discard()."),
        "too_large" or "BODY_TOO_LARGE" => ("it is too large", "Have the user shorten it (256 KiB at most), or sync.discard() it."),
        "too_deep" => ("it is nested too deeply", "Mend the app: 64 levels at most; or sync.discard() it."),
        "duplicate_keys" => ("an object in it names a member twice", "Mend the app, and write the document again; or sync.discard() it."),
        "number_out_of_range" => ("a number in it is no double", "Mend the app, and write the document again; or sync.discard() it."),
        "checksum_mismatch" => ("its checksum is another", "Mend the app: leave the checksum out; or sync.discard() it."),
        "quota" => (
            "the user's storage on the server is used up",
            "Have the user delete something, or raise Limits:LiveEntities or Limits:UserBytes."),
        "unknown_type" => ("its type is none", "Mend the app: types are lower_snake names; or sync.discard() it."),
        "UNANSWERED" => (
            "something on the way refuses bodies of its size",
            "Raise the proxy's limit (nginx: client_max_body_size 33m); mirubato doctor --url URL tries it."),
        "INTERNAL" => ("the server failed on it", "Look for its exception in the server's log, and tell us what it says."),
        _ => ("the server refuses it", $"docs/protocol.md, Errors, says what it means; mend that, {Again}, or sync.discard()."),
    };
}
