using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>What to take back: what arrived after a time; of one device, or everything; of some types, or all.</summary>
internal sealed record RewindBody(long ToMs, DeviceId? Device, string[]? Types, bool DryRun, EntityKey After)
{
    public static RewindBody Parse(ReadOnlyMemory<byte> body)
    {
        var walk = new JsonBodyReader(body);
        var seen = new HashSet<string>();
        var (to, device, dryRun, after) = ((long?)null, (DeviceId?)null, false, new EntityKey("", ""));
        List<string>? types = null;
        walk.Next();
        walk.MustBeObject();
        while (walk.Member(seen, "$") is { } name)
        {
            if (name == "to") to = Time(ref walk);
            else if (name == "device" && walk.Token != JsonTokenType.Null) device = ParseDevice(walk);
            else if (name == "types") types = PullRequest.TypeNames(ref walk);
            else if (name == "dryRun" && walk.Token != JsonTokenType.Null) dryRun = Flag(walk);
            else if (name == "after" && walk.Token != JsonTokenType.Null) after = Key(walk);
            else walk.Skip();
        }

        walk.End();
        if (to is null) throw new RequestRefusedException(Problem.InvalidShape, "$.to must be a time; it is missing.", "$.to");
        return new RewindBody(to.Value, device, types is null or [] ? null : [.. types], dryRun, after);
    }

    private static long Time(ref JsonBodyReader walk)
    {
        var slice = walk.Token == JsonTokenType.String ? default : walk.Slice();
        var ms = slice.IsEmpty ? TimeParser.ParseText(walk.Text()) : TimeParser.ParseNumber(slice.Span);
        return ms ?? throw walk.Wrong("must be a time");
    }

    private static DeviceId ParseDevice(JsonBodyReader walk) =>
        walk.Text() is { } id && UsableId.Is(id) ? new DeviceId(id) : throw walk.Wrong("must be a usable id");

    private static bool Flag(JsonBodyReader walk) =>
        walk.Token is JsonTokenType.True or JsonTokenType.False
            ? walk.Token == JsonTokenType.True
            : throw walk.Wrong("must be true or false");

    private static EntityKey Key(JsonBodyReader walk) =>
        walk.Text()!.Split('/', 2) is [{ Length: > 0 } type, { Length: > 0 } id]
            ? new EntityKey(type, id)
            : throw walk.Wrong("must be the next member of an answer");
}
