namespace Mirubato.Gateway.Wire;

/// <summary>The words and sentences of item results; docs/protocol.md lists them.</summary>
internal static class ItemMessages
{
    public static string Word(ItemStatus status) => status switch
    {
        ItemStatus.Unchanged => "unchanged",
        ItemStatus.Created => "created",
        ItemStatus.Updated => "updated",
        ItemStatus.Deleted => "deleted",
        ItemStatus.Conflict => "conflict",
        ItemStatus.Merged => "merged",
        _ => "refused",
    };

    /// <summary>Why the item was beaten or refused, and what its sender can do.</summary>
    public static (string Reason, string Message) Why(ItemResult item) => item.Refusal switch
    {
        ItemRefusal.Deleted => (
            "deleted",
            "Another device deleted this, and it does not come back by itself: take the deletion over, or restore your copy from "
            + "/api/sync/conflicts."),
        ItemRefusal.Invalid => (
            "invalid", "This is no object with a usable id (1 to 256 characters, no control characters): correct it and send it again."),
        ItemRefusal.TooLarge => ("too_large", $"This exceeds {Limits.EntityBytesMax} bytes: shorten it and send it again."),
        ItemRefusal.TooDeep => ("too_deep", $"This is nested deeper than {Limits.EntityDepthMax} levels: flatten it and send it again."),
        ItemRefusal.DuplicateKeys => ("duplicate_keys", "An object in this names a member twice: name it once and send it again."),
        ItemRefusal.NumberOutOfRange => (
            "number_out_of_range", "A number in this is too large to be stored: correct it and send it again."),
        ItemRefusal.ChecksumMismatch => (
            "checksum_mismatch", "The checksum does not match the data: compute it over the data as sent, or leave it out."),
        ItemRefusal.Quota => (
            "quota",
            "The user's storage is used up (entities, bytes, types, or deletions of unknown ids): delete something and send it again; "
            + "old deletions go within the hour."),
        ItemRefusal.UnknownType => (
            "unknown_type", "There is no such entity type here: use a documented member of changes, or a lower_snake type in a batch."),
        _ => (
            "stale",
            "A later change of this is stored (one without updatedAt, or deletedAt when it deletes, counts as the oldest there is): "
            + "name the time it was made, take over the server's copy, or restore yours from /api/sync/conflicts within 30 days."),
    };
}
