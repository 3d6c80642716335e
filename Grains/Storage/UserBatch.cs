namespace Mirubato.Grains.Storage;

/// <summary>The users whose tombstones a batch removes, in the order of their ids.</summary>
/// <param name="End">Users up to here have been looked at; null when there are none behind.</param>
internal sealed record UserBatch(IReadOnlyList<string> Users, string? End)
{
    /// <summary>Of users in the order of their ids, those past the bound. Fewer users than asked for are the last.</summary>
    public static UserBatch From(List<(string User, bool IsPast)> seen, int asked) =>
        new([.. seen.Where(user => user.IsPast).Select(user => user.User)], seen.Count < asked ? null : seen[^1].User);

    /// <summary>
    /// Removes user by user until <paramref name="rowsMax"/> rows are gone. The next batch begins with the user at whom that happened.
    /// </summary>
    public async ValueTask<SweepProgress> Remove(string? cursor, int rowsMax, Func<string, int, ValueTask<int>> remove)
    {
        var removed = 0;
        foreach (var user in Users)
        {
            removed += await remove(user, rowsMax - removed);
            if (removed >= rowsMax) return new SweepProgress(removed, cursor, Done: false);
            cursor = user;
        }

        return new SweepProgress(removed, End, Done: End is null);
    }
}
