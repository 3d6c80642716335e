using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>What to take back: what arrived after a time; of one device, or everything; of some types, or all.</summary>
internal sealed record RewindBody(long ToMs, DeviceId? Device, string[]? Types, bool DryRun, EntityKey After)
{
    public static RewindBody Parse(ReadOnlyMemory<byte> body)
    {
        var reader = new JsonBodyReader(body);
        var seen = new HashSet<string>();
        var (to, device, dryRun, after) = ((long?)null, (DeviceId?)null, false, new EntityKey("", ""));
        List<string>? types = null;
        reader.Next();
        reader.MustBeObject();
        while (reader.Member(seen, "$") is { } name)
        {
            if (name == "to") to = Time(ref reader);
            else if (name == "device" && reader.Token != JsonTokenType.Null) device = ParseDevice(reader);
            else if (name == "types") types = PullRequest.TypeNames(ref reader);
            else if (name == "dryRun" && reader.Token != JsonTokenType.Null) dryRun = Flag(reader);
            else if (name == "after" && reader.Token != JsonTokenType.Null) after = Key(reader);
            else reader.Skip();
        }

        reader.End();
        if (to is null) throw new RequestRefusedException(Problem.InvalidShape, "$.to must be a time; it is missing.", "$.to");
        return new RewindBody(to.Value, device, types is null or [] ? null : [.. types], dryRun, after);
    }

    private static long Time(ref JsonBodyReader reader)
    {
        var slice = reader.Token == JsonTokenType.String ? default : reader.Slice();
        var ms = slice.IsEmpty ? TimeParser.ParseText(reader.Text()) : TimeParser.ParseNumber(slice.Span);
        return ms ?? throw reader.Wrong("must be a time");
    }

    private static DeviceId ParseDevice(JsonBodyReader reader) =>
        reader.Text() is { } id && UsableId.Is(id) ? new DeviceId(id) : throw reader.Wrong("must be a usable id");

    private static bool Flag(JsonBodyReader reader) =>
        reader.Token is JsonTokenType.True or JsonTokenType.False
            ? reader.Token == JsonTokenType.True
            : throw reader.Wrong("must be true or false");

    private static EntityKey Key(JsonBodyReader reader) =>
        reader.Text()!.Split('/', 2) is [{ Length: > 0 } type, { Length: > 0 } id]
            ? new EntityKey(type, id)
            : throw reader.Wrong("must be the next member of an answer");
}
