using System.Text.Json;
using System.Text.Json.Serialization;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Admin;

internal sealed record ImportBody(string? Path, bool DryRun = false);

internal sealed record ImportsAnswer(IReadOnlyList<ImportAnswer> Imports);

/// <summary>An import as the Admin API tells it. Times are ISO 8601.</summary>
internal sealed record ImportAnswer(
    string Id, string Status, string File, bool DryRun, string StartedAt, string? FinishedAt, long OldSequence,
    ImportCounts Users, ImportCounts Rows, long Changed, long Unchanged, long Refused, IReadOnlyDictionary<string, long> PassedOver,
    string? Problem)
{
    public static ImportAnswer From(ImportReport import) => new(
        import.Id, import.Status.ToString().ToLowerInvariant(), import.Order.Path, import.Order.DryRun, IsoTime.Text(import.StartedMs),
        IsoTime.Text(import.FinishedMs), import.OldSequence, new ImportCounts(import.UsersDone, import.UsersTotal),
        new ImportCounts(import.RowsDone, import.RowsTotal), import.Changed, import.Unchanged, import.Refused,
        import.PassedOver.ToDictionary(table => table.Name, table => table.Rows), import.Problem);
}

internal sealed record ImportCounts(long Done, long Total);

/// <summary>A row that was not stored, and why.</summary>
internal sealed record RefusedRow(long Row, string? User, string? EntityType, string? EntityId, string Reason, string Message)
{
    public static RefusedRow From(ImportRefusal refusal)
    {
        var (reason, message) = Why(refusal);
        return new RefusedRow(refusal.Row, refusal.User, refusal.Type, refusal.EntityId, reason, message);
    }

    private static (string Reason, string Message) Why(ImportRefusal refusal) => refusal.Reason switch
    {
        ImportReason.UserId => ("user_id", "user_id is no text of 1 to 256 characters without control characters."),
        ImportReason.UnknownUser => ("unknown_user", "The table users has no row with this id: add it to a copy, or leave the row."),
        ImportReason.DeletedAt => ("deleted_at", "deleted_at is neither null nor a time: correct it in a copy."),
        ImportReason.Failed => ("failed", "The server failed on this row, and its log says why: tell us."),
        _ => refusal.Item switch
        {
            ItemRefusal.Stale => ("stale", "This server holds a later edit; the row's document is in the user's conflict feed."),
            ItemRefusal.Deleted => ("deleted", "It was deleted on this server; the row's document is in the user's conflict feed."),
            ItemRefusal.Quota => ("quota", "The user's storage is used up: raise Limits:LiveEntities or Limits:UserBytes."),
            _ => ItemMessages.Why(new ItemResult(default, ItemStatus.Refused, Refusal: refusal.Item)),
        },
    };
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ImportBody))]
[JsonSerializable(typeof(ImportsAnswer))]
[JsonSerializable(typeof(ImportAnswer))]
[JsonSerializable(typeof(RefusedRow))]
internal sealed partial class ImportJson : JsonSerializerContext;
