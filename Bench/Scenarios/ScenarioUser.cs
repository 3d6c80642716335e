using System.Text;
using Mirubato.Bench.Http;

namespace Mirubato.Bench.Scenarios;

/// <summary>One user that only this scenario of this run knows, and the connection it is prepared over.</summary>
internal sealed class ScenarioUser(Target target, HttpConnection connection, Identity identity, EntryText entries, Numbers numbers)
{
    private const int WholeBody = int.MaxValue;

    /// <summary>A push of that many new entries under a key of its own, unless <paramref name="keyed"/> says otherwise.</summary>
    public RequestTemplate Push(int count, bool keyed = true)
    {
        var body = new TemplateWriter().Text("{\"changes\":{\"entries\":[");
        for (var item = 0; item < count; item++)
            entries.Write(item == 0 ? body : body.Text(","), item);
        return Post("push", body.Text("]}}"), count, keyed);
    }

    /// <summary>A push of an edit of the next of so many entries. Two edits of one are far enough apart to have different times.</summary>
    public RequestTemplate Edit(int among)
    {
        var body = new TemplateWriter().Text("{\"changes\":{\"entries\":[");
        entries.Write(body, item: 0, among);
        return Post("push", body.Text("]}}"), items: 1, keyed: true);
    }

    /// <summary>A batch of that many new entities with their checksums.</summary>
    public RequestTemplate Batch(int count)
    {
        var body = new TemplateWriter().Text("{\"entities\":[");
        for (var item = 0; item < count; item++)
            WriteEntity(item == 0 ? body : body.Text(","), item);
        return Post("batch", body.Text("]}"), count, keyed: false);
    }

    public RequestTemplate Pull(string? knownTag = null) =>
        Bodiless("POST", "pull", knownTag is null ? "Content-Length: 0\r\n" : $"Content-Length: 0\r\nIf-None-Match: {knownTag}\r\n");

    public RequestTemplate Status() => Bodiless("GET", "status");

    /// <summary>Sends a template once, as part of the preparation, and returns the tag of the answer, if any.</summary>
    /// <exception cref="BenchFailure">The answer is not 200: there is nothing to measure then.</exception>
    public async Task<string> Send(RequestTemplate request)
    {
        numbers.Fill(request);
        var answer = await connection.Exchange(request.Bytes, WholeBody);
        FatalStatuses.Throw(answer.Status);
        if (answer.Status != 200)
            throw new BenchFailure($"Preparing user {identity.User} failed with HTTP {answer.Status}: {AnswerCheck.Excerpt(answer)}");
        return Encoding.ASCII.GetString(answer.Header("ETag"u8));
    }

    private void WriteEntity(TemplateWriter to, int item)
    {
        to.Text($"{{\"type\":\"logbook_entry\",\"id\":\"entry_{identity.Run}_").Number(item).Text("\",\"data\":");
        var start = to.Position;
        entries.Write(to, item);
        to.Text(",\"checksum\":\"").Checksum(start..(to.Position - ",\"checksum\":\"".Length)).Text("\",\"version\":1}");
    }

    private RequestTemplate Bodiless(string method, string call, string headers = "") =>
        new TemplateWriter().Text(Head(method, call) + headers + "\r\n").ToTemplate(items: 0);

    private RequestTemplate Post(string call, TemplateWriter body, int items, bool keyed)
    {
        var head = new TemplateWriter().Text(Head("POST", call));
        head.Text($"Content-Type: application/json\r\nContent-Length: {body.Position}\r\n");
        if (keyed)
            head.Text($"X-Idempotency-Key: push_{identity.Run}_").Number(0).Text("\r\n");
        return head.Text("\r\n").Append(body).ToTemplate(items);
    }

    private string Head(string method, string call) =>
        $"{method} {target.PathBase}/api/sync/{call} HTTP/1.1\r\nHost: {target.Url.Authority}\r\n"
        + $"Authorization: Bearer {identity.Token}\r\nX-Device-ID: bench-{identity.Run}\r\n";
}

internal sealed record Identity(string Run, string User, string Token);
