using System.Text;
using System.Text.Json.Nodes;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>Short words for items in tests.</summary>
internal static class Items
{
    public static readonly UserId User = new("user_1");

    public static ParsedItem Read(Item item) => item.Read(User);

    public static ParsedItem Read(string type, string document) => Read(new Item(type, null, Encoding.UTF8.GetBytes(document)));

    public static ParsedItem Entry(string document) => Read("logbook_entry", document);

    public static string Text(ParsedItem incoming, long version = 1, long publishedMs = 0) =>
        Encoding.UTF8.GetString(incoming.Document.Render(version, publishedMs).Span);

    public static JsonObject Rendered(ParsedItem incoming, long version = 1, long publishedMs = 0) =>
        JsonNode.Parse(Text(incoming, version, publishedMs))!.AsObject();
}
