namespace Mirubato.Cli.Doctor;

/// <summary>Why a server lets a device or its token in no more, and what to do.</summary>
internal static class DeviceRefusals
{
    private const string Check = "connection";

    /// <summary>How a client spells an answer that is not the server's own, as <c>HTTP_403</c>.</summary>
    private const string NotOurs = "HTTP_";

    /// <summary>Null: it is let in, as far as the bundle knows.</summary>
    public static Finding? Judge(SupportBundle bundle)
    {
        var state = bundle.Status.Connection;
        var code = bundle.Server.Failure is { Status: 401 or 403 or 409 } now && !now.Code.StartsWith(NotOurs, StringComparison.Ordinal)
            ? now.Code
            : Last(bundle.Errors, state);
        return code is null && state is not ("refused" or "signedOut") ? null : Explain(code ?? state);
    }

    private static Finding Explain(string code) => code switch
    {
        "DEVICE_REVOKED" => Finding.Bad(
            Check, "The device is refused: its user, or an operator, turned it away.",
            "If that was a mistake, the user allows it on another device (POST /api/sync/devices/{id}/allow)."),
        "DEVICE_QUOTA" => Finding.Bad(
            Check, "The device is refused: the user has as many devices as allowed.",
            "Remove one (mirubato device list USER, mirubato device evict USER DEVICE), or raise Limits:Devices."),
        "SCHEMA_MISMATCH" => Finding.Bad(
            Check, "The device is refused: it speaks another protocol version than the server.", "Update the older one."),
        "OTHER_USER" => Finding.Bad(
            Check, "The device is signed out: the app passes a token of another user.", "Mend the app: it opens one store a user."),
        "SIGNED_OUT" => Finding.Bad(
            Check, "The device is signed out: its user, or an operator, signed out everywhere.", "Have the user sign in again."),
        "TOKEN_EXPIRED" => Finding.Bad(
            Check, "The device is signed out: its token has expired, and the app passes no other.",
            "Have the user sign in again; pass the app's token as a function, which is asked in time."),
        "INVALID_TOKEN" or "MISSING_TOKEN" => Finding.Bad(
            Check, "The device is signed out: the server does not take its token.",
            "Have the user sign in again. If all users are hit, the server's Auth:Secret is not that of who issues the tokens."),
        "signedOut" => Finding.Bad(Check, "The device is signed out.", "Have the user sign in again; nothing is lost on the device."),
        _ => Finding.Bad(
            Check, $"The device is refused ({code}).", "docs/protocol.md, Errors, says what the code means; the server's log says more."),
    };

    private static string? Last(IReadOnlyList<BundleError> errors, string state) =>
        state is "refused" or "signedOut" ? errors.LastOrDefault(error => error.Kind == state)?.Code : null;
}
