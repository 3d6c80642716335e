using System.Text;
using System.Text.Json;
using Mirubato.Bench.Http;

namespace Mirubato.Bench.Scenarios;

/// <summary>Says what is wrong with an answer, or null.</summary>
internal sealed class AnswerCheck(Expectation expect)
{
    /// <summary>Enough of a body for the cheap check and for an error's text.</summary>
    public const int KeepBytes = 2048;

    private readonly byte[] contains = Encoding.UTF8.GetBytes(expect.Contains ?? "");

    public string? Fault(ResponseReader answer)
    {
        if (answer.Status != expect.Status)
            return $"HTTP {answer.Status} instead of {expect.Status}: {Excerpt(answer)}";
        if (answer.BodyLength < expect.BodyBytesMin)
            return $"A body of {answer.BodyLength} bytes instead of at least {expect.BodyBytesMin}: {Excerpt(answer)}";
        if (expect.Replayed != answer.Header("X-Idempotent-Replay"u8).SequenceEqual("true"u8))
            return $"X-Idempotent-Replay should {(expect.Replayed ? "" : "not ")}be true.";
        return answer.Body.IndexOf(contains) < 0 ? $"No {expect.Contains} in {Excerpt(answer)}" : null;
    }

    /// <summary>As <see cref="Fault"/>, and the whole body, which has to have been kept, is parsed and checked.</summary>
    public string? FaultInFull(ResponseReader answer)
    {
        if (Fault(answer) is { } fault)
            return fault;
        if (expect.Check is null)
            return null;
        try
        {
            using var document = JsonDocument.Parse(answer.BodyMemory);
            return expect.Check(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"The answer is not of the contract's shape ({e.Message}): {Excerpt(answer)}";
        }
    }

    public static string Excerpt(ResponseReader answer) =>
        answer.Body.IsEmpty ? "(no body)" : Encoding.UTF8.GetString(answer.Body[..Math.Min(300, answer.Body.Length)]);
}
