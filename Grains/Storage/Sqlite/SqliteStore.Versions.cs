using Mirubato.Grains.Domain;

namespace Mirubato.Grains.Storage.Sqlite;

internal sealed partial class SqliteStore
{
    public ValueTask<List<StoredVersion>> VersionsFrom(
        UserId user, IReadOnlyDictionary<EntityKey, long> oldest, long bytesMax, CancellationToken cancel)
    {
        return readers.Read(session =>
        {
            var (found, bytes) = (new List<StoredVersion>(), 0L);
            foreach (var (entity, from) in oldest) found.AddRange(ReadFrom(session, user, entity, from, bytesMax, ref bytes));
            return found;
        }, cancel);
    }

    private static IEnumerable<StoredVersion> ReadFrom(
        SqliteSession session, UserId user, EntityKey entity, long from, long bytesMax, ref long bytes)
    {
        var (newestFirst, total) = (new List<StoredVersion>(), bytes);
        session.Each(VersionSql.History, row =>
        {
            var version = VersionSql.Read(row);
            total += version.Data.Length;
            if (version.Version < from || (total > bytesMax && version.ReplacedMs is not null)) return false;
            newestFirst.Add(version);
            return true;
        }, user.Value, entity.Type, entity.Id, long.MaxValue, Limits.MergeVersionsMax + 1);
        bytes = total;
        return Enumerable.Reverse(newestFirst);
    }
}
