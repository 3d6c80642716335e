using System.Globalization;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Http;

/// <summary>The outermost layer: whatever goes wrong inside becomes one form of answer, and says nothing of the server's insides.</summary>
internal sealed class ProblemAnswers(RequestDelegate next, ILogger<ProblemAnswers> log, GatewayMetrics metrics)
{
    public async Task Invoke(HttpContext http)
    {
        CommonHeaders.Set(http.Response);
        try
        {
            await next(http);
            if (IsBareError(http.Response)) await Write(http, Problems.FromStatus(http.Response.StatusCode));
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer.
            if (!http.Response.HasStarted) http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception failure)
        {
            await Answer(http, failure);
        }
    }

    /// <summary>The problem as an answer. What was prepared so far is dropped.</summary>
    public static async Task Write(
        HttpContext http, Problem problem, string? detail = null, string? path = null, string? reason = null, int? retrySeconds = null)
    {
        var form = problem.Form();
        var allow = http.Response.Headers.Allow;
        http.Response.Clear();
        CommonHeaders.Set(http.Response);
        if (allow.Count > 0) http.Response.Headers.Allow = allow;
        if ((retrySeconds ?? form.RetrySeconds) is var seconds and > 0)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        if (form.Status == 401)
        {
            http.Response.Headers.WWWAuthenticate = problem is Problem.MissingToken ? "Bearer" : "Bearer error=\"invalid_token\"";
        }
        var text = detail ?? form.Remedy;
        var answer = new ProblemAnswer(form.Type, form.Title, form.Status, text, Success: false, text, form.Code, path, reason);
        http.RequestServices.GetRequiredService<GatewayMetrics>().Refused(form.Code);
        await http.Answer(answer, WireJson.Default.ProblemAnswer, form.Status, ContentTypes.Problem);
    }

    private Task Answer(HttpContext http, Exception failure)
    {
        if (http.Response.HasStarted)
        {
            // The status is sent; to cut the connection is the only way left to say that the rest is missing.
            Log.CutShort(log, http.Request.Path, failure);
            http.Abort();
            return Task.CompletedTask;
        }

        return failure switch
        {
            RequestRefusedException refused => Write(
                http, refused.Problem, refused.Detail, refused.Path, refused.Reason, refused.RetrySeconds),
            StoreUnavailableException store => Unavailable(http, store),
            BadHttpRequestException bad => Write(http, Problems.FromStatus(bad.StatusCode)),
            _ => Unhandled(http, failure),
        };
    }

    private Task Unavailable(HttpContext http, StoreUnavailableException store)
    {
        metrics.StoreFailed(store.Reason);
        Log.StoreUnavailable(log, store.Reason);
        return Write(http, Problem.StoreUnavailable, reason: store.Reason);
    }

    private Task Unhandled(HttpContext http, Exception failure)
    {
        Log.Unhandled(log, http.Request.Method, http.Request.Path, failure);
        return Write(http, Problem.Internal);
    }

    private static bool IsBareError(HttpResponse response) =>
        response.StatusCode >= 400 && !response.HasStarted && response.ContentLength is null && response.ContentType is null;
}
