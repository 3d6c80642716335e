using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Silo;

/// <summary>Orleans's dashboard, as it is hosted here.</summary>
public sealed class DashboardTests : IDisposable
{
    private const string Secret = "a secret of operators, long enough";
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-dashboard-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task It_loads_from_here_alone_cannot_be_framed_and_shows_no_log_lines()
    {
        await using var server = await LiveServer.Start(
            $"--Storage:SqlitePath={Path.Combine(folder, "sync.db")}", $"--Admin:Secret={Secret}");
        using var client = new HttpClient { BaseAddress = server.Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Secret}")));
        client.DefaultRequestHeaders.Add("Origin", "http://localhost:3000");

        foreach (var path in (string[])["", "index.min.js", "DashboardCounters"])
        {
            using var answer = await client.GetAsync($"/dashboard/orleans/{path}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
            Assert.Equal("DENY", answer.Headers.GetValues("X-Frame-Options").Single());
            Assert.StartsWith(
                "default-src 'none'; script-src 'self';", answer.Headers.GetValues("Content-Security-Policy").Single(),
                StringComparison.Ordinal);
        }

        using var trace = await client.GetAsync("/dashboard/orleans/Trace", HttpCompletionOption.ResponseHeadersRead);
        Assert.False(trace.IsSuccessStatusCode, $"Live log lines are answered {trace.StatusCode}.");
    }
}
