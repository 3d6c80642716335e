using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Mirubato.Gateway.Http;

internal static class ContentTypes
{
    public const string Json = "application/json; charset=utf-8";
    public const string Problem = "application/problem+json; charset=utf-8";
    public const string Lines = "application/x-ndjson; charset=utf-8";
    public const string Html = "text/html; charset=utf-8";
    public const string Style = "text/css; charset=utf-8";
    public const string Script = "text/javascript; charset=utf-8";
    public const string Image = "image/svg+xml";
    public const string Token = "application/jwt";
}

/// <summary>Whole answers of known length.</summary>
internal static class HttpAnswers
{
    public static Task Answer(this HttpContext http, int status, ReadOnlyMemory<byte> body, string contentType)
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        return body.Length < Limits.AnswerStepBytes ? response.Body.WriteAsync(body, http.RequestAborted).AsTask() : InSteps(http, body);
    }

    public static Task Answer<T>(
        this HttpContext http, T answer, JsonTypeInfo<T> form, int status = StatusCodes.Status200OK,
        string contentType = ContentTypes.Json) =>
        http.Answer(status, JsonSerializer.SerializeToUtf8Bytes(answer, form), contentType);

    private static async Task InSteps(HttpContext http, ReadOnlyMemory<byte> body)
    {
        var steps = await AnswerSteps.Start(http);
        await steps.Write(body);
        await steps.Flush();
    }
}
