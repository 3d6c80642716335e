using System.Collections.Frozen;

namespace Mirubato.Gateway.Errors;

/// <summary>Why a request as a whole gets an error. <see cref="Problems"/> gives each its status, code and remedy.</summary>
internal enum Problem
{
    BadRequest,
    InvalidJson,
    InvalidUtf8,
    InvalidShape,
    InvalidHeader,
    InvalidParameter,
    DuplicateMember,
    InvalidEncoding,
    ConfirmationRequired,
    MissingToken,
    InvalidToken,
    TokenExpired,
    SignedOut,
    Forbidden,
    DeviceRevoked,
    DeviceQuota,
    NotFound,
    MethodNotAllowed,
    BodyTooSlow,
    SchemaMismatch,
    StrictConflict,
    AlreadyExists,
    BaseMoved,
    BodyTooLarge,
    TooManyItems,
    TooManyTies,
    UnsupportedEncoding,
    KeyReused,
    DocumentRefused,
    ImportRefused,
    RateLimited,
    RefusedTooOften,
    TooManyLargeBodies,
    TooManyReads,
    Internal,
    NotOffered,
    StoreUnavailable,
    AuthorityUnavailable,
    Busy,
    BodyBudgetUsedUp,
}

/// <param name="Code">UPPER_SNAKE, stable: clients branch on it.</param>
/// <param name="Remedy">The sentence a person reads; it says what to do.</param>
/// <param name="RetrySeconds">Sent as Retry-After; 0: do not just try again.</param>
internal sealed record ProblemForm(int Status, string Code, string Title, string Remedy, int RetrySeconds = 0)
{
    /// <summary>The problem type of RFC 9457; docs/protocol.md lists them.</summary>
    public string Type { get; } = "urn:mirubato-sync:problem:" + Code.ToLowerInvariant().Replace('_', '-');
}

/// <summary>The one table of request errors.</summary>
internal static class Problems
{
    private static readonly FrozenDictionary<Problem, ProblemForm> Forms = new Dictionary<Problem, ProblemForm>
    {
        [Problem.BadRequest] = new(
            400, "BAD_REQUEST", "Bad request", "The request is not valid HTTP; see the documentation of this endpoint."),
        [Problem.InvalidJson] = new(400, "INVALID_JSON", "Invalid JSON", "The body is not valid JSON; send what JSON.stringify writes."),
        [Problem.InvalidUtf8] = new(
            400, "INVALID_UTF8", "Invalid UTF-8", "The body is not valid UTF-8; encode it as UTF-8 without a byte order mark."),
        [Problem.InvalidShape] = new(
            400, "INVALID_SHAPE", "Invalid shape", "The body has not the documented shape; compare it with /openapi/v1.json."),
        [Problem.InvalidHeader] = new(400, "INVALID_HEADER", "Invalid header", "A header has no usable value; correct or omit it."),
        [Problem.InvalidParameter] = new(
            400, "INVALID_PARAMETER", "Invalid parameter", "A parameter has no usable value; correct or omit it."),
        [Problem.DuplicateMember] = new(
            400, "DUPLICATE_MEMBER", "Duplicate member",
            "The body names a member twice, which leaves open which one counts; send it once."),
        [Problem.InvalidEncoding] = new(
            400, "INVALID_ENCODING", "Invalid content encoding",
            "The body could not be unpacked as its Content-Encoding says; check how it is compressed."),
        [Problem.ConfirmationRequired] = new(
            400, "CONFIRMATION_REQUIRED", "Confirmation required",
            "This erases everything of the user; send the header 'Confirm: erase' to do it."),
        [Problem.MissingToken] = new(401, "MISSING_TOKEN", "Missing token", "Send a token as 'Authorization: Bearer <token>'."),
        [Problem.InvalidToken] = new(401, "INVALID_TOKEN", "Invalid token", "Invalid or expired token; sign in again."),
        [Problem.TokenExpired] = new(401, "TOKEN_EXPIRED", "Expired token", "Invalid or expired token; refresh it or sign in again."),
        [Problem.SignedOut] = new(
            401, "SIGNED_OUT", "Signed out", "The user signed out everywhere after this token was issued; sign in again."),
        [Problem.Forbidden] = new(403, "FORBIDDEN", "Forbidden", "This is not allowed to the token's user."),
        [Problem.DeviceRevoked] = new(
            403, "DEVICE_REVOKED", "Device revoked", "The user turned this device away; allow it again from another device."),
        [Problem.DeviceQuota] = new(
            403, "DEVICE_QUOTA", "Too many devices", "The user has as many devices as allowed; remove one under /api/sync/devices."),
        [Problem.NotFound] = new(404, "NOT_FOUND", "Not found", "There is nothing at this address; check the path and the id."),
        [Problem.MethodNotAllowed] = new(
            405, "METHOD_NOT_ALLOWED", "Method not allowed", "This address takes another method; the Allow header names it."),
        [Problem.BodyTooSlow] = new(
            408, "BODY_TOO_SLOW", "Body too slow", "The body took too long to arrive; send it again, in smaller parts if the line is slow.",
            1),
        [Problem.SchemaMismatch] = new(
            409, "SCHEMA_MISMATCH", "Schema mismatch",
            "Client and server speak different versions of the protocol and nothing was applied; update the older of the two."),
        [Problem.StrictConflict] = new(
            409, "STRICT_CONFLICT", "Nothing was applied",
            "An item was beaten or refused and strict handling was asked for; resolve the listed conflicts and send the request under a "
            + "new key."),
        [Problem.AlreadyExists] = new(409, "ALREADY_EXISTS", "Already there", "This is there already; change it with PUT."),
        [Problem.BaseMoved] = new(
            409, "BASE_MOVED", "Changed meanwhile",
            "Other devices kept changing this while it was to be updated; send the request again.", 1),
        [Problem.BodyTooLarge] = new(
            413, "BODY_TOO_LARGE", "Body too large",
            $"The unpacked body exceeds {Limits.BodyBytesMax} bytes; send it in several requests."),
        [Problem.TooManyItems] = new(
            413, "TOO_MANY_ITEMS", "Too many items", "The request holds more items than it may; send them in several requests."),
        [Problem.TooManyTies] = new(
            413, "TOO_MANY_TIES", "Too many ties",
            $"The request has the times of stored documents of more than {Limits.TiedBytesMax} bytes, which would all be sent to every "
            + $"device again; send it in several requests."),
        [Problem.UnsupportedEncoding] = new(
            415, "UNSUPPORTED_ENCODING", "Unsupported content encoding", "Send the body plain, or with Content-Encoding gzip or br."),
        [Problem.KeyReused] = new(
            422, "IDEMPOTENCY_KEY_REUSED", "Idempotency key reused",
            "This key belongs to a request with another body; use a new key for new content."),
        [Problem.DocumentRefused] = new(422, "DOCUMENT_REFUSED", "Document refused", "The document cannot be stored; the reason says why."),
        [Problem.ImportRefused] = new(
            422, "IMPORT_REFUSED", "Import refused", "The file cannot be imported, or another import runs; the detail says what to do."),
        [Problem.RateLimited] = new(
            429, "RATE_LIMITED", "Too many requests",
            "The user sends requests, items or large bodies faster than allowed; wait as Retry-After says.", 1),
        [Problem.RefusedTooOften] = new(
            429, "REFUSED_TOO_OFTEN", "Too many refused tokens",
            "This address sent too many tokens that were refused; wait as Retry-After says.", 60),
        [Problem.TooManyLargeBodies] = new(
            429, "TOO_MANY_LARGE_BODIES", "Too many large bodies",
            "The user sends too many large bodies at once; send them one after the other.", 2),
        [Problem.TooManyReads] = new(
            429, "TOO_MANY_READS", "Too many reads",
            "The user has too many pulls, lists and exports under way that are not read to their end; finish some, and send this again.",
            1),
        [Problem.Internal] = new(
            500, "INTERNAL", "Internal error",
            "The server failed and wrote down why; the request may be repeated under the same idempotency key."),
        [Problem.NotOffered] = new(
            501, "NOT_OFFERED", "Not offered here", "This server does not offer this call; send it to the service it belongs to."),
        [Problem.StoreUnavailable] = new(
            503, "STORE_UNAVAILABLE", "Store unavailable", "The store is unavailable; retry shortly under the same idempotency key.", 1),
        [Problem.AuthorityUnavailable] = new(
            503, "AUTHORITY_UNAVAILABLE", "Authority unavailable",
            "The token could not be checked, because its authority does not answer or was asked for its keys a moment ago; keep the "
            + "token and retry shortly.",
            5),
        [Problem.Busy] = new(
            503, "BUSY", "Busy",
            "More of this user's requests wait than the server holds; retry shortly under the same idempotency key.", 1),
        [Problem.BodyBudgetUsedUp] = new(
            503, "BODY_BUDGET_USED_UP", "Too many large bodies",
            "The server holds as many large bodies as it may; retry shortly under the same idempotency key.", 2),
    }.ToFrozenDictionary();

    public static ProblemForm Form(this Problem problem) => Forms[problem];

    public static Problem From(RequestRefusal refusal) => refusal switch
    {
        RequestRefusal.KeyReused => Problem.KeyReused,
        RequestRefusal.DeviceRevoked => Problem.DeviceRevoked,
        RequestRefusal.SignedOut => Problem.SignedOut,
        RequestRefusal.DeviceQuota => Problem.DeviceQuota,
        RequestRefusal.Busy => Problem.Busy,
        RequestRefusal.NotFound => Problem.NotFound,
        RequestRefusal.BaseMoved => Problem.BaseMoved,
        RequestRefusal.TooManyTies => Problem.TooManyTies,
        _ => Problem.Internal,
    };

    /// <summary>What the framework answers by itself, a bare status.</summary>
    public static Problem FromStatus(int status) => status switch
    {
        401 => Problem.InvalidToken,
        403 => Problem.Forbidden,
        404 => Problem.NotFound,
        405 => Problem.MethodNotAllowed,
        408 => Problem.BodyTooSlow,
        413 => Problem.BodyTooLarge,
        415 => Problem.UnsupportedEncoding,
        429 => Problem.RateLimited,
        503 => Problem.Busy,
        >= 500 => Problem.Internal,
        _ => Problem.BadRequest,
    };
}
