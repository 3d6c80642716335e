using System.Runtime.CompilerServices;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Doctor;

/// <summary>A support bundle, and what the server knows of its device if the user is named and the server can be asked.</summary>
internal static class BundleExamination
{
    private const string Check = "server";

    /// <param name="user">The user whose device it is; null: not known, and the server is not asked.</param>
    /// <param name="ask">What the Admin API says of this user.</param>
    public static async IAsyncEnumerable<Finding> Run(
        SupportBundle bundle, string? user, Func<string, CancellationToken, Task<JsonElement>> ask,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        foreach (var finding in BundleChecks.Run(bundle)) yield return finding;
        var (known, trouble) = user is null
            ? (null, Finding.Good(Check, "The server was not asked: the bundle names no user, and --user USER does."))
            : await Ask(user, ask, cancel);
        if (trouble is not null) yield return trouble;
        if (known is { } told)
        {
            var now = new ServerHistory(told.Text("epoch")!, told.GetProperty("head").GetInt64(), told.Text("digest"), "now");
            foreach (var finding in BundleHistory.Compare(bundle.Cursor, now, user)) yield return finding;
            yield return Device(bundle.Device.Id, user!, told);
        }
        else if (bundle.Server is { Epoch: { } epoch, LastSeq: { } head } then)
        {
            var history = new ServerHistory(epoch, head, then.Digest, "then");
            foreach (var finding in BundleHistory.Compare(bundle.Cursor, history, user)) yield return finding;
        }
    }

    private static async Task<(JsonElement? Known, Finding? Trouble)> Ask(
        string user, Func<string, CancellationToken, Task<JsonElement>> ask, CancellationToken cancel)
    {
        try
        {
            return (await ask(user, cancel), null);
        }
        catch (CommandFailedException failure) when (failure.Code is ExitCode.Failed)
        {
            return (null, Finding.Bad(
                Check, $"The server does not tell of the user {user}: {failure.Message}",
                "Check the name, and that --server is the server that the app uses."));
        }
        catch (CommandFailedException failure)
        {
            return (null, Finding.Warn(
                Check, $"The server was not asked about the user {user}: {failure.Message}",
                $"Name it with --server and its secret in {Settings.SecretVariable}, to compare the device with it."));
        }
    }

    private static Finding Device(string device, string user, JsonElement told)
    {
        var known = told.List("devices").FirstOrDefault(one => one.Text("deviceId") == device);
        return known.ValueKind is JsonValueKind.Undefined
            ? Finding.Warn(
                Check, $"The server does not know the device {device} of the user {user}.",
                "It has not spoken for a year, was never let in, or the user is another one.")
            : known.Flag("revoked")
                ? Finding.Bad(
                    Check, $"The device {device} was turned away at {known.Text("revokedAt")}.",
                    "If that was a mistake, the user allows it on another device (POST /api/sync/devices/{id}/allow).")
                : Finding.Good(
                    Check,
                    $"The server knows the device {device}: last seen {known.Text("lastSeenAt")}, {known.Text("lag")} revisions behind.");
    }
}
