using System.Globalization;
using Mirubato.Gateway.Rest;
using Mirubato.Gateway.Wire;

namespace Mirubato.Cli.Doctor;

/// <summary>What a support bundle says of its device, without asking anybody.</summary>
internal static class BundleChecks
{
    private const double SkewAmberSeconds = 5;
    private const double SkewRedSeconds = 600;
    private const double FullAmber = 0.9;
    private const double FullRed = 0.98;
    private const int LostConnectionsAmber = 5;
    private static readonly TimeSpan UnsentAmber = TimeSpan.FromDays(1);

    public static IEnumerable<Finding> Run(SupportBundle bundle) =>
    [
        Sdk(bundle), Clock(bundle), Connection(bundle), .. ParkedEdits.Judge(bundle.Parked), Unsent(bundle), Storage(bundle),
        .. Errors(bundle.Errors),
    ];

    private static Finding Sdk(SupportBundle bundle)
    {
        const string check = "sdk";
        if (bundle.Protocol is < ProtocolVersion.Oldest or > ProtocolVersion.Current)
            return Finding.Bad(
                check, $"The app speaks protocol version {bundle.Protocol}, and this release {ProtocolVersion.Current}.",
                bundle.Protocol < ProtocolVersion.Oldest
                    ? "Update @mirubato/sync in the app, and have the user load it anew."
                    : "Upgrade the server.");
        var ours = Version.Parse(HealthEndpoints.Version);
        return Version.TryParse(bundle.Sdk.Split('-')[0], out var theirs) && theirs >= ours
            ? Finding.Good(check, $"The app uses @mirubato/sync {bundle.Sdk}.")
            : Finding.Warn(
                check, $"The app uses @mirubato/sync {bundle.Sdk}, which is older than this release, {HealthEndpoints.Version}.",
                "Update the package in the app, and have the user load it anew; CHANGELOG.md says what was mended since.");
    }

    private static Finding Clock(SupportBundle bundle)
    {
        const string check = "clock";
        if (bundle.Server.ClockAheadMs is not { } aheadMs)
            return Finding.Good(check, "How far the device's clock is off is not known: the server was not reached.");
        var seconds = Math.Abs(aheadMs) / 1000;
        if (seconds < SkewAmberSeconds) return Finding.Good(check, "The device's clock agrees with the server's.");
        var says = $"The device's clock is {Spell(TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue)))} "
            + $"{(aheadMs > 0 ? "ahead of" : "behind")} the server's: "
            + (aheadMs > 0 ? "its edits count as made when they arrive." : "its edits lose against those of other devices, into the feed.");
        const string remedy = "Have the user turn on the automatic time of the device.";
        return seconds < SkewRedSeconds ? Finding.Warn(check, says, remedy) : Finding.Bad(check, says, remedy);
    }

    /// <summary>The last request says why a device is refused, and what the server said to the bundle itself is the newest.</summary>
    private static Finding Connection(SupportBundle bundle)
    {
        const string check = "connection";
        var state = bundle.Status.Connection;
        var failure = bundle.Server.Failure ?? bundle.LastFailure;
        var why = failure is null ? "" : $" ({failure.Code}{(failure.Status == 0 ? "" : $", HTTP {failure.Status}")})";
        if (DeviceRefusals.Judge(bundle) is { } refused) return refused;
        return state switch
        {
            "polling" => Finding.Warn(
                check, "The device polls: sockets are blocked on the way, so changes arrive late.",
                "Let proxies pass /sync/ws on as a WebSocket (mirubato doctor --url URL tries it); the user's own network may block it."),
            "offline" => Finding.Warn(
                check, "The device is offline, by the app or by the browser.",
                "Have the user go online; goOnline() overrules the browser."),
            "closed" => Finding.Warn(
                check, "The device was closed when the bundle was made.", "Have the app make the bundle while it is open."),
            _ when bundle.Server.Failure is not null || state is "waiting" => Finding.Warn(
                check, $"The device does not reach the server{why}; it retries by itself.",
                $"Open {bundle.Server.Url}/health on the device, and check its network and what is between (mirubato doctor --url URL)."),
            _ => Finding.Good(check, $"The device reaches the server ({state})."),
        };
    }

    private static Finding Unsent(SupportBundle bundle)
    {
        const string check = "unsent";
        if (bundle.Unsent.Count == 0) return Finding.Good(check, "Every edit was sent.");
        var age = bundle.At - (bundle.Unsent.OldestAt ?? bundle.At);
        var says = $"{Count(bundle.Unsent.Count, "edit waits", "edits wait")}, the oldest for {Spell(age)}.";
        return age < UnsentAmber
            ? Finding.Good(check, says)
            : Finding.Warn(
                check,
                $"{says} They are on this device only{(bundle.LastFailure is { } last ? $"; the last attempt failed: {last.Code}" : "")}.",
                "Let the device reach the server, as the line of its connection says. Until then do not sign out or clear the browser's "
                    + "data: that would lose them.");
    }

    private static Finding Storage(SupportBundle bundle)
    {
        const string check = "storage";
        if (bundle.Errors.Any(error => error.Kind == "quota"))
            return Finding.Bad(
                check, "The device's storage was full: a change was not stored.", "Have the user make room on the device, and try again.");
        if (bundle.Storage is not { UsedBytes: { } used, QuotaBytes: > 0 and var quota })
            return Finding.Good(check, "How full the device's storage is is not known.");
        var share = used / quota;
        var says = string.Create(CultureInfo.InvariantCulture, $"The app uses {share:P0} of the storage that the browser allows.");
        const string remedy = "Have the user make room on the device, or the app store less beside the documents.";
        return share < FullAmber ? Finding.Good(check, says)
            : share < FullRed ? Finding.Warn(check, says, remedy)
            : Finding.Bad(check, says, remedy);
    }

    private static IEnumerable<Finding> Errors(IReadOnlyList<BundleError> errors)
    {
        const string check = "errors";
        var counts = errors.CountBy(error => error.Kind).ToDictionary();
        if (counts.ContainsKey("lost"))
            yield return Finding.Warn(
                check, "The browser deleted what was stored on the device; it was fetched again, but for unsent edits.",
                "Have the app ask for lasting storage: navigator.storage.persist().");
        if (counts.GetValueOrDefault("healed") is > 0 and var healed)
            yield return Finding.Warn(
                check, $"The device differed from the server {healed} times, and fetched everything again.",
                "Make sure that nothing but the package writes to its database, and tell us what the device did.");
        if (errors.Count(error => error is { Kind: "connection", Code: "waiting" }) is >= LostConnectionsAmber and var lost)
            yield return Finding.Warn(
                check, $"The device lost the server {lost} times.",
                "Raise the proxy's timeout for WebSockets to an hour (mirubato doctor --url URL tries it), if others lose it as well.");
    }

    private static string Count(long count, string one, string several) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : several)}");

    private static string Spell(TimeSpan time) => time switch
    {
        { TotalDays: >= 2 } => $"{(int)time.TotalDays} days",
        { TotalHours: >= 2 } => $"{(int)time.TotalHours} hours",
        { TotalMinutes: >= 2 } => $"{(int)time.TotalMinutes} minutes",
        _ => $"{(int)Math.Max(0, time.TotalSeconds)} s",
    };
}
