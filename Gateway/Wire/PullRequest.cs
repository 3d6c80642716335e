using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>What to pull: all, or what changed; some types, or all; at most so many.</summary>
/// <param name="Since">Null: not sent.</param>
internal sealed record PullRequest(SyncToken? Since, string[]? Types, int? Limit)
{
    public const int TypesMax = 100;

    /// <summary>
    /// The weak ETag of the answer at <paramref name="history"/>: the same question at the same head has the same answer.
    /// </summary>
    public string Tag(HistoryState history)
    {
        var text = $"{ProtocolVersion.Current}|{history.Token}|{Since}|{Limit}|{(Types is null ? "*" : string.Join(',', Types))}";
        return $"W/\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16))}\"";
    }

    public static PullRequest Parse(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty) return new PullRequest(null, null, null);
        var reader = new JsonBodyReader(body);
        var seen = new HashSet<string>();
        string? since = null;
        List<string>? types = null;
        int? limit = null;
        reader.Next();
        reader.MustBeObject();
        while (reader.Member(seen, "$") is { } name)
        {
            if (name == "since") since = reader.Text();
            else if (name == "types") types = TypeNames(ref reader);
            else if (name == "limit" && reader.Token != JsonTokenType.Null) limit = ParseLimit(reader);
            else reader.Skip();
        }

        reader.End();
        return From(since, types, limit);
    }

    public static PullRequest Parse(IQueryCollection query)
    {
        var limit = QueryLimit.Parse(query, Limits.PullLimitMax);
        var names = query["types"].SelectMany(
            value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToList();
        if (names.Count > TypesMax || names.Any(name => EntityTypes.Find(name) is null))
            throw new RequestRefusedException(
                Problem.InvalidParameter, $"types must name at most {TypesMax} lower_snake entity types.", "types");
        return From(query["since"].ToString(), names.Count == 0 ? null : names, limit);
    }

    private static int ParseLimit(JsonBodyReader reader) => reader.Number() is { } number and >= 1 and <= Limits.PullLimitMax
        ? (int)number
        : throw reader.Wrong($"must be a whole number from 1 to {Limits.PullLimitMax}");

    // Sorted, so that the same question asked in another order has the same ETag. An empty list asks for all, as leaving it out does.
    private static PullRequest From(string? since, List<string>? types, int? limit) => new(
        string.IsNullOrEmpty(since) ? null : SyncToken.Parse(since),
        types is null or { Count: 0 } ? null : [.. types.Distinct().Order(StringComparer.Ordinal)],
        limit);

    public static List<string>? TypeNames(ref JsonBodyReader reader)
    {
        if (reader.Token == JsonTokenType.Null) return null;
        if (reader.Token != JsonTokenType.StartArray) throw reader.Wrong("must be an array");
        var parent = reader.Path;
        var names = new List<string>();
        while (true)
        {
            reader.Path = $"{parent}[{names.Count}]";
            reader.Next();
            if (reader.Token == JsonTokenType.EndArray) return names;
            if (names.Count == TypesMax) throw reader.Wrong($"is one too many: at most {TypesMax} types can be named");
            var name = reader.Text();
            names.Add(
                name is not null && EntityTypes.Find(name) is not null ? name : throw reader.Wrong("must be a lower_snake entity type"));
        }
    }
}
