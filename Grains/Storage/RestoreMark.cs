namespace Mirubato.Grains.Storage;

/// <summary>
/// A table that stands in a database from before a backup is put in its place until its users have new epochs. A restore that is cut off in
/// between is noticed by it, and the next start finishes the restore. It is in no schema, so that restoring one does not remove it.
/// </summary>
internal static class RestoreMark
{
    public const string Table = "restore_pending";
    public const string Make = $"CREATE TABLE IF NOT EXISTS {Table} (mark integer)";
    public const string Remove = $"DROP TABLE IF EXISTS {Table}";
}
