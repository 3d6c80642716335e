using System.Text;
using System.Text.Json;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// What is changed in every document on its way in (docs/protocol.md, Entities), so that the two paths and the two spellings of a client
/// end up as one. Nothing is stripped, and what is normal already is left as it is.
/// </summary>
internal ref struct Normalization(JsonTree tree, DocumentMembers members, EntityType type)
{
    private readonly JsonTree tree = tree;
    private readonly DocumentMembers members = members;
    private readonly EntityType type = type;
    private DocumentEdits edits = new(tree, members);

    /// <param name="tree">The document as sent.</param>
    /// <param name="members">Its members.</param>
    /// <param name="type">Which rules apply.</param>
    /// <param name="id">The entity's id.</param>
    /// <param name="user">The token's user.</param>
    public static DocumentEdits From(JsonTree tree, DocumentMembers members, EntityType type, string id, string user)
    {
        var normalization = new Normalization(tree, members, type);
        if (members.IsNumber(Member.BaseVersion)) normalization.edits.Remove(Member.BaseVersion);
        normalization.edits.SetText(Member.Id, id);
        normalization.edits.SetText(Member.UserId, user);
        // In a type of the application's own it may name anybody.
        if (EntityTypes.IsNamed(type.Name) && members.Has(Member.UserIdCamel)) normalization.edits.SetText(Member.UserIdCamel, user);
        normalization.Cases();
        normalization.Aliases();
        normalization.ScoreIdOfEntry();
        normalization.Pieces();
        normalization.SetVersionAndTime();
        return normalization.edits;
    }

    private void Cases()
    {
        if (type == EntityTypes.LogbookEntry)
        {
            Lower(Member.Type);
            Lower(Member.Mood);
        }

        if (type == EntityTypes.LogbookEntry || type == EntityTypes.Goal) Lower(Member.Instrument);
    }

    private void Lower(Member member)
    {
        if (!members.IsText(member) || IsPlainLower(tree.Raw(members[member]))) return;
        edits.SetText(member, EcmaCase.Lower(tree.Text(members[member])));
    }

    private static bool IsPlainLower(ReadOnlySpan<byte> raw) =>
        Ascii.IsValid(raw) && raw.IndexOfAnyInRange((byte)'A', (byte)'Z') < 0 && !raw.Contains((byte)'\\');

    private void Aliases()
    {
        Fill(Member.GoalIds, Member.GoalIdsSnake);
        Fill(Member.CreatedAt, Member.CreatedAtSnake);
        if (type == EntityTypes.PlanOccurrence) Fill(Member.PlanId, Member.PlanIdSnake);
        if (type != EntityTypes.RepertoireItem) return;
        SetScoreId(Member.ScoreId);
        SetScoreId(Member.ScoreIdSnake);
        Fill(Member.ScoreId, Member.ScoreIdSnake);
    }

    private void Fill(Member one, Member other)
    {
        if (members.Has(one) && !members.Has(other)) Give(other, from: one);
        else if (members.Has(other) && !members.Has(one)) Give(one, from: other);
    }

    /// <summary>With the value as it will be: a score id as normalized, anything else as sent.</summary>
    private void Give(Member to, Member from)
    {
        if (from is Member.ScoreId or Member.ScoreIdSnake && members.IsText(from)) edits.SetText(to, FindScoreId(from));
        else edits.Copy(to, from);
    }

    private readonly string FindScoreId(Member member) => ScoreIds.NormalizeExisting(tree.Text(members[member]));

    private void SetScoreId(Member member)
    {
        if (members.IsText(member) && !IsPlainlyNormal(members[member])) edits.SetText(member, FindScoreId(member));
    }

    private void ScoreIdOfEntry()
    {
        if (type != EntityTypes.LogbookEntry) return;
        var hasId = IsGivenId(members[Member.ScoreId]) || IsGivenId(members[Member.ScoreIdSnake]);
        SetScoreId(Member.ScoreIdSnake);
        if (hasId || Named(members[Member.ScoreTitle]) is not { } title) SetScoreId(Member.ScoreId);
        else edits.SetText(Member.ScoreId, ScoreIds.Generate(title, members.Text(Member.ScoreComposer) ?? members.Text(Member.Composer)));
    }

    private void Pieces()
    {
        var pieces = members[Member.Pieces];
        if (type != EntityTypes.LogbookEntry || pieces == 0 || tree[pieces].Kind is not JsonTokenType.StartArray) return;
        for (var piece = pieces + 1; piece < tree[pieces].Next; piece = tree[piece].Next)
        {
            if (tree[piece].Kind is JsonTokenType.StartObject) PieceId(piece);
        }
    }

    private void PieceId(int piece)
    {
        var (id, title, composer) = (0, 0, 0);
        for (var name = piece + 1; name < tree[piece].Next; name = tree[name + 1].Next)
        {
            switch (Members.Find(tree, name))
            {
                case Member.Id: id = name + 1; break;
                case Member.Title: title = name + 1; break;
                case Member.Composer: composer = name + 1; break;
            }
        }

        if (IsGivenId(id))
        {
            if (tree[id].Kind is not JsonTokenType.String || IsPlainlyNormal(id)) return;
            edits.SetPieceId(piece, id, JsonText.Encode(ScoreIds.NormalizeExisting(tree.Text(id))));
        }
        else if (Named(title) is { } name)
        {
            edits.SetPieceId(piece, id, JsonText.Encode(ScoreIds.Generate(name, Named(composer))));
        }
    }

    private readonly bool IsPlainlyNormal(int value) => ScoreIds.IsPlainlyNormal(tree.Raw(value));

    /// <summary>Whether a client gave an id at all: not absent, null or blank. One that is no string is left to it.</summary>
    private readonly bool IsGivenId(int value) =>
        value != 0
            && tree[value].Kind is not JsonTokenType.Null
            && (tree[value].Kind is not JsonTokenType.String || Named(value) is not null);

    /// <summary>A string that is not blank.</summary>
    private readonly string? Named(int value) =>
        value != 0 && tree[value].Kind is JsonTokenType.String && EcmaCase.Trim(tree.Text(value)) is { Length: > 0 } text ? text : null;

    /// <summary>Version and updatedAt are the server's to say, under each spelling the client uses.</summary>
    private void SetVersionAndTime()
    {
        edits.Set(Member.Version, Slot.Version);
        if (members.Has(Member.UpdatedAtSnake)) edits.Set(Member.UpdatedAtSnake, FindForm(Member.UpdatedAtSnake, Member.UpdatedAt));
        else if (members[Member.UpdatedAt] != 0 || members[Member.UpdatedAtSnake] != 0)
        {
            edits.Set(Member.UpdatedAtSnake, FindForm(Member.UpdatedAt, Member.UpdatedAtSnake));
        }
        edits.Set(Member.UpdatedAt, FindForm(Member.UpdatedAt, Member.UpdatedAtSnake));
    }

    private readonly Slot FindForm(Member member, Member other)
    {
        var sample = members.Has(member) ? member : other;
        var isNumber = type.Times is TimeForm.AsWritten && members.IsNumber(sample) && members.Time(sample) is not null;
        return isNumber ? Slot.NumberTime : Slot.IsoTime;
    }
}
