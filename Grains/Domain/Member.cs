using System.Text;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>The top-level members that mean something to the server. Every other is kept and never looked at.</summary>
internal enum Member
{
    None,

    // Bookkeeping: not part of what an entity says, so not of its fingerprint.
    Id,
    UserId,
    DeviceId,
    Checksum,
    Version,
    SyncVersion,
    Seq,
    CreatedAt,
    CreatedAtSnake,
    UpdatedAt,
    UpdatedAtSnake,
    DeletedAt,
    DeletedAtSnake,
    BaseVersion,

    // Content.
    UserIdCamel,
    Type,
    Mood,
    Instrument,
    GoalIds,
    GoalIdsSnake,
    PlanId,
    PlanIdSnake,
    ScoreId,
    ScoreIdSnake,
    ScoreTitle,
    ScoreComposer,
    Composer,
    Title,
    Pieces,
}

internal static class Members
{
    public const int Count = (int)Member.Pieces + 1;

    private static readonly (Member Member, string Name)[] Table =
    [
        (Member.Id, "id"), (Member.UserId, "user_id"), (Member.DeviceId, "device_id"), (Member.Checksum, "checksum"),
        (Member.Version, "version"), (Member.SyncVersion, "sync_version"), (Member.Seq, "seq"),
        (Member.CreatedAt, "createdAt"), (Member.CreatedAtSnake, "created_at"),
        (Member.UpdatedAt, "updatedAt"), (Member.UpdatedAtSnake, "updated_at"),
        (Member.DeletedAt, "deletedAt"), (Member.DeletedAtSnake, "deleted_at"), (Member.BaseVersion, "baseVersion"),
        (Member.UserIdCamel, "userId"), (Member.Type, "type"), (Member.Mood, "mood"), (Member.Instrument, "instrument"),
        (Member.GoalIds, "goalIds"), (Member.GoalIdsSnake, "goal_ids"), (Member.PlanId, "planId"), (Member.PlanIdSnake, "plan_id"),
        (Member.ScoreId, "scoreId"), (Member.ScoreIdSnake, "score_id"), (Member.ScoreTitle, "scoreTitle"),
        (Member.ScoreComposer, "scoreComposer"), (Member.Composer, "composer"), (Member.Title, "title"),
        (Member.Pieces, "pieces"),
    ];

    private static readonly byte[][] Names =
        [.. Enum.GetValues<Member>()
            .Select(member => Encoding.UTF8.GetBytes(Table.FirstOrDefault(row => row.Member == member).Name ?? ""))];

    // As they stand before a value: the first member of an object, and a later one.
    private static readonly byte[][] FirstPrefixes = [.. Names.Select(name => (byte[])[.. "\""u8, .. name, .. "\":"u8])];
    private static readonly byte[][] LaterPrefixes = [.. FirstPrefixes.Select(prefix => (byte[])[(byte)',', .. prefix])];

    private static readonly Member[][] ByLength = [.. Enumerable.Range(0, Names.Max(name => name.Length) + 1).Select(ListByLength)];

    public static ReadOnlySpan<byte> FindName(Member member) => Names[(int)member];

    /// <summary>What stands before the value of a member that is added: its name and a colon, and a comma if it is not the first.</summary>
    public static byte[] FindPrefix(Member member, bool isFirst) => (isFirst ? FirstPrefixes : LaterPrefixes)[(int)member];

    public static Member Find(ReadOnlySpan<byte> name)
    {
        if (name.Length >= ByLength.Length) return Member.None;
        foreach (var member in ByLength[name.Length])
        {
            if (name.SequenceEqual(Names[(int)member])) return member;
        }

        return Member.None;
    }

    public static Member Find(in JsonTree tree, int name) =>
        Find(tree[name].Escaped ? Encoding.UTF8.GetBytes(tree.Text(name)) : tree.Raw(name));

    public static bool IsBookkeeping(Member member) => member is > Member.None and < Member.BaseVersion;

    private static Member[] ListByLength(int length) => [.. Table.Where(row => row.Name.Length == length).Select(row => row.Member)];
}
