
namespace Mirubato.Gateway.WebApp;

/// <summary>What the members of a body must be, and how they are merged into a document.</summary>
internal static class Fields
{
    /// <summary>Said by the server, or by the path of the call; a client that sends back what it got may hold them.</summary>
    private static readonly HashSet<string> Kept =
    [
        "id", "user_id", "device_id", "version", "baseVersion", "checksum", "seq", "sync_version",
        "createdAt", "created_at", "updatedAt", "updated_at", "deletedAt", "deleted_at",
    ];

    /// <summary>Each member that was sent takes the place of the stored one; the server's own stay.</summary>
    public static void Merge(this JsonMembers document, JsonMembers sent)
    {
        foreach (var (name, value) in sent.All)
        {
            if (!Kept.Contains(name)) document[name] = value;
        }
    }

    public static string RequiredText(this JsonMembers sent, string name, string within = "$") =>
        sent[name].Name() ?? throw Wrong($"{within}.{name}", "must be a text that is not blank");

    public static string? OptionalText(this JsonMembers sent, string name, string within = "$") =>
        Accept(sent, name, value => value.Text() is not null, $"{within}.{name}", "must be a string") ? sent[name].Text() : null;

    public static double? OptionalNumber(this JsonMembers sent, string name) =>
        Accept(sent, name, value => value.Number() is not null, $"$.{name}", "must be a number") ? sent[name].Number() : null;

    public static void OptionalTexts(this JsonMembers sent, string name) =>
        Accept(
            sent, name, value => value.IsList && value.Elements().All(element => element.Text() is not null), $"$.{name}",
            "must be a list of strings");

    public static RequestRefusedException Wrong(string path, string what) => new(Problem.InvalidShape, $"{path} {what}.", path);

    private static bool Accept(JsonMembers sent, string name, Func<JsonValue, bool> fits, string path, string what)
    {
        var value = sent[name];
        if (!value.IsGiven) return false;
        return fits(value) ? true : throw Wrong(path, what);
    }
}
