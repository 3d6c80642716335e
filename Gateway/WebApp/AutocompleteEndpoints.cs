using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.WebApp;

/// <summary>Names the user has used before.</summary>
internal static class AutocompleteEndpoints
{
    public const int ResultsMax = 100;
    private const int ResultsUsual = 10;

    private static readonly Parameter Text = new("q", true, "A part of the name; empty: the most used names.");
    private static readonly Parameter Limit = new("limit", true, "At most so many results, 1 to 100; 10 if left out.", Number: true);
    private static readonly Parameter By = new("composer", true, "Only pieces by this composer.");

    public static void MapAutocomplete(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/autocomplete/composers", Composers).Says("Composers from the user's entries and repertoire, best match first.")
            .Takes(Text, Limit).Gives<SuggestionsAnswer>();
        app.MapGet("/api/autocomplete/pieces", Pieces).Says("Pieces from the user's entries and repertoire, best match first.")
            .Takes(Text, Limit, By).Gives<SuggestionsAnswer>();
    }

    private static Task Composers(Call call, Logbooks logbooks, UserConcurrency concurrency) =>
        Answer(call, logbooks, concurrency, (names, piece) => names.Add(piece.Composer, composer: null));

    private static Task Pieces(Call call, Logbooks logbooks, UserConcurrency concurrency)
    {
        var by = Nfc.Compose(RedactedQuery.Read(call.Http, "composer").Trim());
        return Answer(call, logbooks, concurrency, (names, piece) =>
        {
            if (by.Length == 0 || by.Equals(Nfc.Compose(piece.Composer ?? ""), StringComparison.OrdinalIgnoreCase))
            {
                names.Add(piece.Title, piece.Composer);
            }
        });
    }

    private static async Task Answer(Call call, Logbooks logbooks, UserConcurrency concurrency, Action<Suggestions, PieceName> add)
    {
        var limit = QueryLimit.Parse(call.Http.Request.Query, ResultsMax) ?? ResultsUsual;
        using var lease = await concurrency.Read(call.Caller.User, call.Cancel);
        var names = new Suggestions(RedactedQuery.Read(call.Http, "q").Trim());
        foreach (var entry in await logbooks.Find(call))
        {
            foreach (var piece in entry.Names) add(names, piece);
        }

        // After the entries, whose spelling is the user's own: an id tells a name in lower case only.
        await foreach (var row in Logbook.Rows(call, Repertoire.Type))
        {
            if (Repertoire.FindName(JsonMembers.ParseStored(row.Data), row.Entity.Id) is { } piece) add(names, piece);
        }

        await call.Http.Answer(new SuggestionsAnswer(names.Best(limit), names.Count), WebAppJson.Default.SuggestionsAnswer);
    }
}
