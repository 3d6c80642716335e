using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// What is changed in every document on its way in (docs/protocol.md, Entities), so that the two paths and the two spellings of a client
/// end up as one. Nothing is stripped, and what is normal already is left as it is.
/// </summary>
internal ref struct Normalization(DocumentMembers members, EntityType type)
{
    private readonly EntityType type = type;
    private DocumentEdits edits = new(members);

    [UnscopedRef]
    private readonly ref readonly DocumentMembers Sent => ref edits.Sent;

    [UnscopedRef]
    private readonly ref readonly JsonTree Tree => ref edits.Sent.Tree;

    /// <param name="members">The members of the document as sent.</param>
    /// <param name="type">Which rules apply.</param>
    /// <param name="id">The entity's id.</param>
    /// <param name="user">The token's user.</param>
    public static DocumentEdits From(DocumentMembers members, EntityType type, string id, string user)
    {
        var normalization = new Normalization(members, type);
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
        if (!Sent.IsText(member) || IsPlainLower(Tree.Raw(Sent[member]))) return;
        edits.SetText(member, EcmaCase.Lower(Tree.Text(Sent[member])));
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
        if (Sent.Has(one) && !Sent.Has(other)) Give(other, from: one);
        else if (Sent.Has(other) && !Sent.Has(one)) Give(one, from: other);
    }

    /// <summary>With the value as it will be: a score id as normalized, anything else as sent.</summary>
    private void Give(Member to, Member from)
    {
        if (from is Member.ScoreId or Member.ScoreIdSnake && Sent.IsText(from)) edits.SetText(to, FindScoreId(from));
        else edits.Copy(to, from);
    }

    private readonly string FindScoreId(Member member) => ScoreIds.NormalizeExisting(Tree.Text(Sent[member]));

    private void SetScoreId(Member member)
    {
        if (Sent.IsText(member) && !IsPlainlyNormal(Sent[member])) edits.SetText(member, FindScoreId(member));
    }

    private void ScoreIdOfEntry()
    {
        if (type != EntityTypes.LogbookEntry) return;
        var hasId = IsGivenId(Sent[Member.ScoreId]) || IsGivenId(Sent[Member.ScoreIdSnake]);
        SetScoreId(Member.ScoreIdSnake);
        if (hasId || Named(Sent[Member.ScoreTitle]) is not { } title) SetScoreId(Member.ScoreId);
        else edits.SetText(Member.ScoreId, ScoreIds.Generate(title, Sent.Text(Member.ScoreComposer) ?? Sent.Text(Member.Composer)));
    }

    private void Pieces()
    {
        var pieces = Sent[Member.Pieces];
        if (type != EntityTypes.LogbookEntry || pieces == 0 || Tree[pieces].Kind is not JsonTokenType.StartArray) return;
        for (var piece = pieces + 1; piece < Tree[pieces].Next; piece = Tree[piece].Next)
        {
            if (Tree[piece].Kind is JsonTokenType.StartObject) PieceId(piece);
        }
    }

    private void PieceId(int piece)
    {
        var (id, title, composer) = (0, 0, 0);
        for (var name = piece + 1; name < Tree[piece].Next; name = Tree[name + 1].Next)
        {
            switch (Members.Find(Tree, name))
            {
                case Member.Id: id = name + 1; break;
                case Member.Title: title = name + 1; break;
                case Member.Composer: composer = name + 1; break;
            }
        }

        if (IsGivenId(id))
        {
            if (Tree[id].Kind is not JsonTokenType.String || IsPlainlyNormal(id)) return;
            edits.SetPieceId(piece, id, JsonText.Encode(ScoreIds.NormalizeExisting(Tree.Text(id))));
        }
        else if (Named(title) is { } name)
        {
            edits.SetPieceId(piece, id, JsonText.Encode(ScoreIds.Generate(name, Named(composer))));
        }
    }

    private readonly bool IsPlainlyNormal(int value) => ScoreIds.IsPlainlyNormal(Tree.Raw(value));

    /// <summary>Whether a client gave an id at all: not absent, null or blank. One that is no string is left to it.</summary>
    private readonly bool IsGivenId(int value) =>
        value != 0
            && Tree[value].Kind is not JsonTokenType.Null
            && (Tree[value].Kind is not JsonTokenType.String || Named(value) is not null);

    /// <summary>A string that is not blank.</summary>
    private readonly string? Named(int value) =>
        value != 0 && Tree[value].Kind is JsonTokenType.String && EcmaCase.Trim(Tree.Text(value)) is { Length: > 0 } text ? text : null;

    /// <summary>Version and updatedAt are the server's to say, under each spelling the client uses.</summary>
    private void SetVersionAndTime()
    {
        edits.Set(Member.Version, Slot.Version);
        if (Sent.Has(Member.UpdatedAtSnake)) edits.Set(Member.UpdatedAtSnake, FindForm(Member.UpdatedAtSnake, Member.UpdatedAt));
        else if (Sent[Member.UpdatedAt] != 0 || Sent[Member.UpdatedAtSnake] != 0)
        {
            edits.Set(Member.UpdatedAtSnake, FindForm(Member.UpdatedAt, Member.UpdatedAtSnake));
        }
        edits.Set(Member.UpdatedAt, FindForm(Member.UpdatedAt, Member.UpdatedAtSnake));
    }

    private readonly Slot FindForm(Member member, Member other)
    {
        var sample = Sent.Has(member) ? member : other;
        var isNumber = type.Times is TimeForm.AsWritten && Sent.IsNumber(sample) && Sent.Time(sample) is not null;
        return isNumber ? Slot.NumberTime : Slot.IsoTime;
    }
}
