using System.Text;
using System.Text.Json;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Sockets;

/// <summary>Bytes that were sensible once, and what must hold of a store whatever was sent to it.</summary>
internal static class Fuzzed
{
    private static readonly string[] Named = ["entries", "goals", "repertoire", "practicePlans", "planOccurrences", "planTemplates"];

    /// <summary>How many inputs a test tries: <c>MIRUBATO_RUNS</c>, else few.</summary>
    public static int Runs(int few) => int.TryParse(Environment.GetEnvironmentVariable("MIRUBATO_RUNS"), out var runs) ? runs : few;

    public static byte[] Mutate(string[] seeds, Random random)
    {
        var list = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]).ToList();
        for (var n = random.Next(4); n > 0 && list.Count > 1; n--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(6))
            {
                case 0: list[at] = (byte)random.Next(256); break;
                case 1: list.RemoveAt(at); break;
                case 2: list.Insert(at, (byte)"{}[]\",:0-e\\ntf"[random.Next(14)]); break;
                case 3: list.RemoveRange(at, random.Next(list.Count - at)); break;
                case 4: list.InsertRange(at, Encoding.UTF8.GetBytes(Odd[random.Next(Odd.Length)])); break;
                default: list.InsertRange(at, list.GetRange(at, random.Next(list.Count - at))); break;
            }
        }

        return [.. list];
    }

    private static readonly string[] Odd =
    [
        "null", "1e999", "-0", "\"\\ud800\"", "\\u0000", "9007199254740993", "\"\"", "{}", "[]", "true", ",\"deletedAt\":1",
        ",\"updatedAt\":\"9999-12-31T23:59:59Z\"",
        ",\"version\":-1", ",\"baseVersion\":1", "\"id\":7,", "\"user_id\":{},", "\"pieces\":[null,1,{\"id\":null}],",
        "\"goalIds\":\"x\",", "[[[[[[[[", "\u2028",
    ];

    /// <summary>Every stored document is one that may be stored; and sent back as it is, it changes nothing.</summary>
    public static async Task<int> Check(HttpDevice http, string user)
    {
        var pull = await http.Pull();
        var documents = Named.SelectMany(
            member => pull.GetProperty(member).EnumerateArray().Select(document => (member, document))).ToList();
        foreach (var (member, document) in documents) Check(member, document, user);
        var preferences = pull.GetProperty("preferences");
        if (preferences.ValueKind is not JsonValueKind.Null) Check("preferences", preferences, user);
        var others = pull.GetProperty("other")
            .EnumerateObject()
            .SelectMany(type => type.Value.EnumerateArray().Select(document => (type.Name, Document: document)))
            .ToList();
        foreach (var (type, document) in others) Check(type, document, user);

        var sections = documents.GroupBy(found => found.member).Select(
            group => $"\"{group.Key}\":[{string.Join(',', group.Select(found => found.document.GetRawText()))}]");
        if (preferences.ValueKind is not JsonValueKind.Null) sections = sections.Append($"\"preferences\":{preferences.GetRawText()}");
        var pushed = await http.Push(string.Join(',', sections));
        Assert.True(pushed.GetProperty("results").GetArrayLength() == 0, $"sent back, it is not unchanged: {pushed}");
        foreach (var chunk in others.Chunk(1_000))
        {
            var entities = chunk.Select(
                one =>
                    $"{{\"type\":\"{one.Name}\",\"id\":{one.Document.GetProperty("id").GetRawText()},\"data\":{one.Document.GetRawText()}}}");
            var batch = await http.Ask(HttpMethod.Post, "/api/sync/batch", $"{{\"entities\":[{string.Join(',', entities)}]}}");
            Assert.True(
                batch.GetProperty("results").EnumerateArray().All(result => result.GetProperty("status").GetString() == "unchanged"),
                $"sent back, it is not unchanged: {batch}");
        }

        return documents.Count + others.Count;
    }

    private static void Check(string member, JsonElement document, string user)
    {
        var text = document.GetRawText();
        Assert.True(Encoding.UTF8.GetByteCount(text) <= Limits.StoredBytesMax, text);
        Assert.True(document.ValueKind is JsonValueKind.Object, text);
        Assert.True(document.GetProperty("id").GetString() is { } id && UsableId.Is(id), text);
        Assert.True(document.GetProperty("user_id").GetString() == user, text);
        Assert.True(document.GetProperty("version").GetInt64() > 0, text);
        var updated = document.GetProperty("updatedAt");
        Assert.True(
            updated.ValueKind is JsonValueKind.Number
                ? member is "goals" or "repertoire" && updated.GetInt64() >= 0
                : DateTimeOffset.TryParse(updated.GetString(),
            out _), text);
    }
}
