namespace Mirubato.Cli.Doctor;

/// <summary>The position of a history on the server.</summary>
/// <param name="When">When that was, to be read after "the server", as in "the server, now".</param>
internal sealed record ServerHistory(string Epoch, long Head, string? Digest, string When);

/// <summary>Compares a device's position in its user's history with the server's.</summary>
internal static class BundleHistory
{
    private const string Check = "history";

    /// <param name="user">As commands name the user; null: not known.</param>
    public static IReadOnlyList<Finding> Compare(BundleCursor device, ServerHistory server, string? user)
    {
        var resync = $"mirubato user resync {user ?? "USER"}";
        if (device.Epoch is null)
            return [Finding.Warn(Check, "The device has not pulled yet.", "Let it reach the server once.")];
        if (device.Epoch != server.Epoch)
            return [Finding.Warn(
                Check, $"The device holds another epoch than the server had {server.When}: a backup was restored, or everything erased.",
                "Let it reach the server: its next pull starts over, and unsent edits stay.")];
        if (device.LastSeq > server.Head)
            return [Finding.Bad(
                Check, $"The device is at revision {device.LastSeq}, ahead of the server's {server.Head} {server.When}: revisions are "
                    + "lost, as after a restore without new epochs, or a fail-over to an asynchronous standby.",
                $"{resync}; if several users are hit, stop the servers and give all of them new epochs (--bump-epochs).")];
        if (device.LastSeq < server.Head)
            return [Finding.Good(
                Check, $"The device is {server.Head - device.LastSeq} revisions behind the server {server.When}.")];
        if (device.Digest is null || server.Digest is null)
            return [Finding.Good(Check, $"The device is at the server's head, {server.Head}; its digest is not known.")];
        return
        [
            device.Digest == server.Digest
                ? Finding.Good(Check, $"The device holds what the server held {server.When}, revision {server.Head}.")
                : Finding.Bad(
                    Check, $"The device's digest is not the server's, at the same revision, {server.Head}: they hold different things.",
                    $"{resync}: the device fetches everything again and keeps its unsent edits. Tell us what it did."),
        ];
    }
}
