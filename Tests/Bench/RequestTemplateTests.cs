using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mirubato.Bench.Http;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Tests.Bench;

public sealed class RequestTemplateTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_757_400_000_123);

    [Fact]
    public void Filling_a_template_makes_every_item_new_and_keeps_the_announced_length()
    {
        var push = Push(3);
        var before = push.Bytes.Length;
        push.Fill(41, Now);
        var first = Entries(push);
        push.Fill(44, Now);
        var second = Entries(push);

        Assert.Equal(before, push.Bytes.Length);
        Assert.Equal(6, first.Concat(second).Select(entry => entry.GetProperty("id").GetString()).Distinct().Count());
        Assert.Equal(6, first.Concat(second).Select(entry => entry.GetProperty("notes").GetString()).Distinct().Count());
        Assert.EndsWith("000000000041", first[0].GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal("2025-09-09T06:40:00.123Z", first[0].GetProperty("updatedAt").GetString());
    }

    [Fact]
    public void Content_Length_is_the_length_of_the_body()
    {
        var text = Encoding.UTF8.GetString(Push(10).Bytes);
        var split = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);

        Assert.Contains(
            $"\r\nContent-Length: {Encoding.UTF8.GetByteCount(text[(split + 4)..])}\r\n", text[..(split + 4)], StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_are_of_the_size_of_real_ones() =>
        Assert.All(Entries(Push(200)), entry => Assert.InRange(Encoding.UTF8.GetByteCount(entry.GetRawText()), 400, 520));

    [Fact]
    public void A_checksum_is_that_of_the_canonical_form()
    {
        var batch = User().Batch(2);
        batch.Fill(7, Now);

        foreach (var entity in Body(batch).GetProperty("entities").EnumerateArray())
        {
            var data = entity.GetProperty("data");
            Assert.Equal(Hash(Canonical(data)), entity.GetProperty("checksum").GetString());
            Assert.Equal(data.GetProperty("id").GetString(), entity.GetProperty("id").GetString());
        }
    }

    [Fact]
    public void A_frozen_template_stays_as_it_is()
    {
        var push = Push(1);
        push.Fill(1, Now);
        var frozen = push.Freeze();
        var before = (byte[])frozen.Bytes.Clone();
        new Numbers(TimeProvider.System).Fill(frozen);

        Assert.Equal(before, frozen.Bytes);
    }

    [Fact]
    public void Workers_do_not_write_into_each_others_bytes()
    {
        var shared = Push(1);
        var own = shared.Own();
        own.Fill(99, Now);

        Assert.NotEqual(own.Bytes, shared.Bytes);
    }

    private static RequestTemplate Push(int count) => User().Push(count);

    // Only templates are built here: nothing is sent, so there is no connection.
    private static ScenarioUser User() => new(
        Target.Parse("http://127.0.0.1:8787", allowRemote: false), null!, new Identity("0a1b2c3d", "user-1", "token"),
        new EntryText("0a1b2c3d", seed: 1), new Numbers(TimeProvider.System));

    private static JsonElement[] Entries(RequestTemplate push) =>
        [.. Body(push).GetProperty("changes").GetProperty("entries").EnumerateArray()];

    private static JsonElement Body(RequestTemplate request)
    {
        var start = request.Bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        return JsonElement.Parse(request.Bytes.AsSpan(start));
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal)
            .Select(member => $"\"{member.Name}\":{Canonical(member.Value)}")) + "}",
        JsonValueKind.Array => "[" + string.Join(',', value.EnumerateArray().Select(Canonical)) + "]",
        _ => value.GetRawText(),
    };
}
