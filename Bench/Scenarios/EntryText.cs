namespace Mirubato.Bench.Scenarios;

/// <summary>
/// Logbook entries as the app writes them, some 480 bytes each. The members stand in the order of the canonical form,
/// so the checksum of an entry is the hash of its bytes as they are.
/// </summary>
internal sealed class EntryText(string run, int seed)
{
    private static readonly (string Title, string Composer)[] Pieces =
    [
        ("Clair de lune", "Debussy"), ("Nocturne Op. 9 No. 2", "Chopin"), ("Invention No. 8", "Bach"),
        ("Gymnopédie No. 1", "Satie"), ("Sonata K. 545", "Mozart"), ("Asturias", "Albéniz"),
    ];
    private static readonly string[] Moods = ["satisfied", "frustrated", "neutral", "excited"];
    private static readonly string[] Techniques = ["scales", "arpeggios", "octaves", "sight-reading", "trills"];
    private readonly Random random = new(seed);

    /// <summary>Number and notes make each entry's content new.</summary>
    /// <param name="among">How many entries there are; the next is an edit of the first again.</param>
    public void Write(TemplateWriter to, int item, long among = long.MaxValue)
    {
        var (title, composer) = Pick(Pieces);
        to.Text("{\"createdAt\":\"").Time()
            .Text($"\",\"duration\":{random.Next(5, 120)},\"goal_ids\":[],\"id\":\"entry_{run}_").Number(item, among)
            .Text($"\",\"instrument\":\"piano\",\"metadata\":{{\"source\":\"manual\"}},\"mood\":\"{Pick(Moods)}\",")
            .Text("\"notes\":\"Hands apart, then both. Take ").Number(item)
            .Text($"\",\"pieces\":[{{\"composer\":\"{composer}\",\"id\":\"{ScoreId(title, composer)}\",")
            .Text($"\"measures\":\"{random.Next(1, 40)}-{random.Next(41, 90)}\",\"tempo\":{random.Next(40, 160)},\"title\":\"{title}\"}}],")
            .Text($"\"tags\":[\"morning\"],\"techniques\":[\"{Pick(Techniques)}\"],\"timestamp\":\"").Time()
            .Text("\",\"type\":\"practice\",\"updatedAt\":\"").Time()
            .Text("\"}");
    }

    private static string ScoreId(string title, string composer) => $"{title}-{composer}".ToLowerInvariant();

    private T Pick<T>(T[] among) => among[random.Next(among.Length)];
}
