using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mirubato.Gateway.Errors;
using Mirubato.Gateway.Wire;

namespace Mirubato.Tests.Gateway;

/// <summary>The generated code writes what the serializer writes, with the encoder of answers.</summary>
public sealed class AnswerWriterTests
{
    private static readonly WriteResult[] Results =
    [
        new("goal", "é\"\\\n音😀", "created", 7, 7, "2026-11-27T12:00:00.123Z", null, new JsonBytes("""{"id":"<&'>"}"""u8.ToArray())),
        new("goal", "", "conflict", 0, 0, null, ["/a", "/b~1c"], null),
    ];

    [Fact]
    public void A_push_is_answered_as_the_serializer_writes_it() => AssertSame(
        new PushAnswer(
            true, [new PushConflict("g", "goal", "stale", "A later <one>.", null, null)], new PushStats(1, 2, 3, 4, 5, 6, 7), Results,
            "token", 9, NotListed: 3),
        WireJson.Default.PushAnswer);

    [Fact]
    public void A_strict_refusal_is_answered_as_the_serializer_writes_it()
    {
        var refused = Problem.StrictConflict.Form();
        AssertSame(
            new PushAnswer(false, [], new PushStats(0, 0, 0, 0, 0, 0, 0), [], "token", 9, NotListed: null) { Refused = refused },
            WireJson.Default.PushAnswer);
        AssertSame(new BatchAnswer(0, 0, [], "token", 9, [], null, null) { Refused = refused }, WireJson.Default.BatchAnswer);
    }

    [Fact]
    public void A_batch_is_answered_as_the_serializer_writes_it() => AssertSame(
        new BatchAnswer(
            1, 2, [new BatchConflict("g", "goal", null, 3, "quota", "Full.", ["/a"], new JsonBytes("{}"u8.ToArray()))], "token", 9,
            [.. Enumerable.Repeat(Results[0], 2_000)], new JsonBytes("""{"goals":[]}"""u8.ToArray()), HasMore: false),
        WireJson.Default.BatchAnswer);

    /// <summary>Twice, because a writer is kept and used again.</summary>
    private static void AssertSame<T>(T answer, JsonTypeInfo<T> form)
    {
        var expected = Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(answer, form));
        Assert.Equal(expected, Encoding.UTF8.GetString(AnswerWriter.Write(answer, form)));
        Assert.Equal(expected, Encoding.UTF8.GetString(AnswerWriter.Write(answer, form)));
    }
}
