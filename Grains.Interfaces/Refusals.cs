namespace Mirubato.Grains.Interfaces;

/// <summary>Why one item was not applied. The client's fault, or another device's luck; never the server's.</summary>
public enum ItemRefusal
{
    None,

    /// <summary>A later change of the entity is stored.</summary>
    Stale,

    /// <summary>The entity was deleted, and its type does not come back.</summary>
    Deleted,

    /// <summary>Not an object, or without a usable id.</summary>
    Invalid,

    /// <summary>The document exceeds <see cref="Limits.EntityBytesMax"/>.</summary>
    TooLarge,

    /// <summary>The document is nested deeper than <see cref="Limits.EntityDepthMax"/>.</summary>
    TooDeep,

    /// <summary>One object names a member twice.</summary>
    DuplicateKeys,

    /// <summary>A number that no double can hold.</summary>
    NumberOutOfRange,

    ChecksumMismatch,

    /// <summary>The user's quota of entities, bytes, entity types or deletions of unknown ids is used up.</summary>
    Quota,

    /// <summary><c>changes</c> has no such member, or the type is no lower_snake name.</summary>
    UnknownType,
}

/// <summary>Why a whole request was not executed. The client's fault; nothing of it was applied.</summary>
public enum RequestRefusal
{
    None,

    /// <summary>The key is bound to another body (422).</summary>
    KeyReused,

    /// <summary>The device was revoked by its user (403).</summary>
    DeviceRevoked,

    /// <summary>The token was issued before the user signed out everywhere (401).</summary>
    SignedOut,

    /// <summary>The user has as many devices as allowed (403).</summary>
    DeviceQuota,

    /// <summary>More waits at this user's coordinator than it may hold (503).</summary>
    Busy,

    /// <summary>No such conflict, device, version or receipt (404).</summary>
    NotFound,

    /// <summary>Another write came first, and the request was to count only without one (409).</summary>
    BaseMoved,

    /// <summary>The request ties with more stored documents than may be announced again at once (413).</summary>
    TooManyTies,
}

/// <summary>
/// The world's fault: the store could not be reached, timed out, was full, or cut the connection before its answer.
/// Nothing was acknowledged; the caller may retry under the same key, and the change happens once.
/// </summary>
public sealed class StoreUnavailableException(string reason, bool outcomeUnknown, Exception? inner = null)
    : Exception($"The store is unavailable ({reason}); retry shortly under the same idempotency key.", inner)
{
    /// <summary>
    /// The class of the failure: <c>unreachable</c>, <c>timeout</c>, <c>full</c>, <c>read_only</c>, <c>contention</c>, <c>pool</c>,
    /// <c>overload</c>, <c>cluster</c>.
    /// </summary>
    public string Reason { get; } = reason;

    /// <summary>The commit may or may not have happened: memory must be dropped and reloaded.</summary>
    public bool OutcomeUnknown { get; } = outcomeUnknown;
}
