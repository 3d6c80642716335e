using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway.WebApp;

internal static class PiecesEndpoints
{
    public static void MapPieces(this IEndpointRouteBuilder app) =>
        app.MapPut("/api/pieces/update-name", Rename).Says("Renames a piece in every entry, one revision each.")
            .Reads<Renaming>().Gives<RenamedAnswer>().Fails(413, 415);

    // No key: to rename again finds nothing left to rename.
    private static async Task Rename(Call call, RequestBodies bodies, UserConcurrency concurrency)
    {
        var sent = JsonMembers.ParseRequest(await bodies.Read(call.Http, call.Caller.User));
        var renaming = new Renaming(NameIn(sent, "oldPiece"), NameIn(sent, "newPiece"));
        var from = ScoreIds.Generate(renaming.OldPiece.Title, renaming.OldPiece.Composer);
        var to = ScoreIds.Generate(renaming.NewPiece.Title, renaming.NewPiece.Composer);
        if (!UsableId.Is(to))
        {
            throw Fields.Wrong("$.newPiece", $"is too long: title and composer have at most {UsableId.UnitsMax - 2} characters together");
        }
        var (_, changed) = await concurrency.Long(
            call.Caller.User, () => Logbook.Edit(call, entry => RenameEntry(entry.Members, renaming, from, to)));
        await call.Http.Answer(new RenamedAnswer(true, changed, $"Renamed in {changed} entries"), WebAppJson.Default.RenamedAnswer);
    }

    private static PieceName NameIn(JsonMembers sent, string member)
    {
        var piece = sent[member].Members() ?? throw Fields.Wrong($"$.{member}", "must be an object with a title");
        return new PieceName(
            piece.RequiredText("title", $"$.{member}"),
            piece.OptionalText("composer", $"$.{member}")?.Trim() is { Length: > 0 } composer ? composer : null);
    }

    private static EntryEdit RenameEntry(JsonMembers entry, Renaming renaming, string from, string to)
    {
        var composer = entry["scoreComposer"].IsGiven || !entry["composer"].IsGiven ? "scoreComposer" : "composer";
        var changed = RenameMembers(entry, "scoreTitle", composer, renaming);
        foreach (var name in (string[])["scoreId", "score_id"]) changed |= Move(entry, name, from, to);
        if (!entry["pieces"].IsList) return changed ? EntryEdit.Changed : EntryEdit.Other;

        var pieces = entry["pieces"].Elements().ToList();
        for (var i = 0; i < pieces.Count; i++)
        {
            if (pieces[i].Members() is not { } piece || !RenameMembers(piece, "title", "composer", renaming)) continue;
            Move(piece, "id", from, to);
            pieces[i] = new JsonValue(piece.ToJson());
            changed = true;
        }

        if (!changed) return EntryEdit.Other;
        entry["pieces"] = JsonValue.List(pieces);
        return EntryEdit.Changed;
    }

    private static bool RenameMembers(JsonMembers names, string title, string composer, Renaming renaming)
    {
        if (!Nfc.AreEqual(names[title].Name(), renaming.OldPiece.Title)
            || !Nfc.AreEqual(names[composer].Name(), renaming.OldPiece.Composer))
        {
            return false;
        }
        names[title] = JsonValue.From(renaming.NewPiece.Title);
        if (renaming.NewPiece.Composer is { } by) names[composer] = JsonValue.From(by);
        else if (!names[composer].IsAbsent) names[composer] = JsonValue.Null;
        return true;
    }

    /// <summary>An id that was made from the old name follows the new one; any other stays.</summary>
    private static bool Move(JsonMembers of, string member, string from, string to)
    {
        if (!Nfc.AreEqual(of[member].Text(), from) || from == to) return false;
        of[member] = JsonValue.From(to);
        return true;
    }
}
