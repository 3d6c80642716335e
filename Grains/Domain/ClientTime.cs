namespace Mirubato.Grains.Domain;

/// <summary>When a change was made by its writer's clock (docs/protocol.md, Clocks). A time that cannot be read counts as absent.</summary>
internal readonly record struct ClientTime(long? Ms, bool IsEditClock)
{
    public static ClientTime Parse(in DocumentMembers members, Change change, bool isDelete)
    {
        var edited = isDelete ? members.DeletedMs : null;
        edited ??= Time(members, Member.UpdatedAt, Member.UpdatedAtSnake);
        edited ??= change.EventMs is { } ms && TimeParser.IsRepresentable(ms) ? ms : null;
        return edited is not null
            ? new ClientTime(edited, true)
            : new ClientTime(Time(members, Member.CreatedAt, Member.CreatedAtSnake), false);
    }

    private static long? Time(in DocumentMembers members, Member member, Member other) => members.Time(member) ?? members.Time(other);
}
