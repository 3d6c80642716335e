using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Commands;

/// <summary>
/// <c>mirubato user import</c>: the lines of an export, sent as the user, in parts that the server takes. Repeated, it changes nothing.
/// </summary>
internal static class UserImport
{
    /// <summary>Below what the server takes at once: 32 MiB and 50,000 entities.</summary>
    private const int PartBytesMax = 16 * 1024 * 1024;
    private const int PartLinesMax = 20_000;

    private static readonly Option<string?> Url = new("--url")
    {
        Description = "Where clients reach the server; left out: --server. With Admin:Port the two differ.",
    };

    public static Command Create(Argument<string> user, Argument<FileInfo> file)
    {
        var command = new Command(
            "import", "Restore an export. It is sent as the user, by a token signed with Auth:Secret; what was deleted comes back.")
        {
            user, file, Url,
        };
        command.SetAction(Screen.Action((parsed, screen, cancel) =>
            Run(parsed, screen, parsed.GetRequiredValue(user), parsed.GetRequiredValue(file), cancel)));
        return command;
    }

    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, string user, FileInfo file, CancellationToken cancel)
    {
        screen.Confirm(parsed, $"This restores {file} to the user {user}, deleted entities included.");
        var address = parsed.GetValue(Url) is { } url ? Settings.ReadUrl(url, "--url") : parsed.ServerUrl();
        using var client = new HttpClient { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", TokenCommand.Make(parsed, user, hours: 1));
        var (lines, refused) = (0, new List<JsonElement>());
        foreach (var part in Parts(file))
        {
            using var body = new StringContent(part.Text, Encoding.UTF8, "application/x-ndjson");
            using var answer = await Send(client, body, cancel);
            if (!answer.IsSuccessStatusCode)
                throw new CommandFailedException(
                    ExitCode.Failed,
                    $"The server answered {(int)answer.StatusCode} after {lines} lines: {await answer.Content.ReadAsStringAsync(cancel)}");
            lines += part.Lines;
            refused.AddRange(JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancel)).RootElement.List("conflicts"));
        }

        screen.Say(
            $"Sent {lines} lines; {refused.Count} were not taken{Reasons(refused)}.",
            new { user, lines, notTaken = refused });
        return ExitCode.Done;
    }

    /// <summary>What the server holds is newer, or it refused the line.</summary>
    private static string Reasons(List<JsonElement> refused)
    {
        var counts = refused.CountBy(one => $"{one.Text("reason")}").Select(one => $"{one.Value} {one.Key}");
        return refused.Count == 0 ? "" : $": {string.Join(", ", counts)}";
    }

    private static async Task<HttpResponseMessage> Send(HttpClient client, HttpContent body, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var answer = await client.PostAsync("api/sync/import", body, cancel);
                if (answer is not { StatusCode: HttpStatusCode.TooManyRequests, Headers.RetryAfter.Delta: { } wait }) return answer;
                answer.Dispose();
                await Task.Delay(wait, cancel);
            }
        }
        catch (HttpRequestException away)
        {
            throw new CommandFailedException(ExitCode.Unreachable, $"{client.BaseAddress} cannot be reached: {away.Message}");
        }
    }

    private static IEnumerable<(string Text, int Lines)> Parts(FileInfo file)
    {
        var (part, lines) = (new StringBuilder(), 0);
        foreach (var line in File.ReadLines(file.FullName))
        {
            part.Append(line).Append('\n');
            if (++lines < PartLinesMax && part.Length < PartBytesMax) continue;
            yield return (part.ToString(), lines);
            (part, lines) = (new StringBuilder(), 0);
        }

        if (lines > 0) yield return (part.ToString(), lines);
    }
}
