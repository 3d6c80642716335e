namespace Mirubato.Gateway.WebApp;

/// <summary>What these calls look at in an entry.</summary>
internal sealed class LogbookEntry(JsonMembers members)
{
    public JsonMembers Members => members;

    public string? ScoreId => members["scoreId"].Name() ?? members["score_id"].Name();

    public long? PlayedMs => members["timestamp"].TimeMs();

    public double Duration => members["duration"].Number() ?? 0;

    public string? Notes => members["notes"].Text();

    public IEnumerable<string> GoalIds => members["goalIds"].Elements().Select(id => id.Text()).OfType<string>();

    public IEnumerable<JsonMembers> Pieces => members["pieces"].Elements().Select(piece => piece.Members()).OfType<JsonMembers>();

    /// <summary>The pieces it names, as it spells them.</summary>
    public IEnumerable<PieceName> Names
    {
        get
        {
            if (members["scoreTitle"].Name() is { } title) yield return new PieceName(title, OwnComposer);
            foreach (var piece in Pieces)
            {
                if (piece["title"].Name() is { } name) yield return new PieceName(name, piece["composer"].Name());
            }
        }
    }

    /// <summary>The composer beside <c>scoreTitle</c>.</summary>
    public string? OwnComposer => members["scoreComposer"].Name() ?? members["composer"].Name();
}
