using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Mirubato.Cli;
using Mirubato.Gateway.Admin;
using Mirubato.Gateway.Errors;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Import;

namespace Mirubato.Tests.Cli;

/// <summary>An import by the command line and the Admin API of a whole server.</summary>
public sealed class ImportCommandTests : IAsyncLifetime
{
    private const string AdminSecret = "an admin's secret of length";
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-cli-import-").FullName;
    private LiveServer server = null!;
    private D1Dump dump = null!;

    private string Dump => Path.Combine(folder, "d1.db");

    private string Report => Path.Combine(folder, "report.ndjson");

    private string[] Server => ["--server", server.Url.ToString(), "--secret", AdminSecret, "--yes"];

    public async Task InitializeAsync()
    {
        server = await LiveServer.Start($"--Storage:SqlitePath={Path.Combine(folder, "data", "sync.db")}", $"--Admin:Secret={AdminSecret}");
        dump = new D1Dump(Dump).Fill(users: 3, rows: 300).Spoil();
    }

    public async Task DisposeAsync()
    {
        dump.Dispose();
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_is_imported_and_each_row_that_was_not_stored_is_in_the_report(bool onServer)
    {
        var import = await CommandLine.Json(
            ["import", "d1", Dump, "--report", Report, .. onServer ? (string[])["--on-server"] : [], .. Server]);

        Assert.Equal(("done", 300), (import.Text("status"), import.GetProperty("changed").GetInt32()));
        var reported = await File.ReadAllLinesAsync(Report);
        Assert.Equal(dump.Planted.Count, reported.Length);
        Assert.All(dump.Planted.Keys, row => Assert.Single(reported, line => line.StartsWith($"{{\"row\":{row},", StringComparison.Ordinal)));
        Assert.All(reported, line => Assert.Matches("\"reason\":\"[a-z_]+\",\"message\":\".{20,}\"", line));
        Assert.True(File.Exists(Dump));
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(folder, "data")), file => Path.GetFileName(file).StartsWith("import-", StringComparison.Ordinal));
        using var device = server.Device("user-1", "phone");
        Assert.True((await device.Pull()).GetProperty("lastSeq").GetInt64() > D1Dump.OldSequence);
        Assert.Equal(import.Text("id"), (await CommandLine.Json(["import", "show", import.Text("id")!, .. Server])).Text("id"));
        Assert.Equal(import.Text("id"), (await CommandLine.Json(["import", "list", .. Server])).Only("imports").Text("id"));
        var (code, _, error) = await CommandLine.Run(["import", "cancel", import.Text("id")!, .. Server]);
        Assert.Equal(((int)ExitCode.Failed, true), (code, error.Contains("has ended already", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Files_that_a_process_left_behind_go_with_the_next_one_that_is_sent_and_others_stay()
    {
        var data = Path.Combine(folder, "data");
        foreach (var (name, hours) in ((string, int)[])[("import-left.db", 2), ("import-sent.db", 0), ("other.db", 2)])
        {
            await File.WriteAllTextAsync(Path.Combine(data, name), "");
            File.SetLastWriteTimeUtc(Path.Combine(data, name), DateTime.UtcNow.AddHours(-hours));
        }

        await CommandLine.Json(["import", "d1", Dump, "--dry-run", .. Server]);

        Assert.Equal(["import-sent.db", "other.db"], Left("import-*.db").Concat(Left("other.db")));

        IEnumerable<string?> Left(string pattern) => Directory.GetFiles(data, pattern).Select(Path.GetFileName);
    }

    [Fact]
    public async Task A_dry_run_stores_nothing_and_shows_a_table()
    {
        var (code, output, _) = await CommandLine.Run(["import", "d1", Dump, "--dry-run", .. Server]);
        Assert.Equal(0, code);
        Assert.Matches(@"not stored\s+14", output);
        using var device = server.Device("user-1", "phone");
        Assert.Equal(0, (await device.Pull()).GetProperty("lastSeq").GetInt64());
    }

    [Fact]
    public async Task A_file_that_cannot_be_imported_is_reported_with_the_remedy()
    {
        var text = Path.Combine(folder, "export.sql");
        await File.WriteAllTextAsync(text, "CREATE TABLE users (id TEXT);");
        var (code, _, error) = await CommandLine.Run(["import", "d1", text, .. Server]);
        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("sqlite3 d1.db < export.sql", error, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(folder, "data")), file => Path.GetFileName(file).StartsWith("import-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_secret_opens_nothing()
    {
        var (code, _, error) = await CommandLine.Run(
            "import", "d1", Dump, "--server", server.Url.ToString(), "--secret", "another secret of length", "--yes");
        Assert.Equal((int)ExitCode.Refused, code);
        Assert.Contains("Admin:Secret", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "{\"path\":\"/d1.db\"}", "CONFIRMATION_REQUIRED")]
    [InlineData("import", "{\"path\":\"d1.db\"}", "INVALID_SHAPE")]
    [InlineData("import", "{", "INVALID_SHAPE")]
    [InlineData("import", "{\"path\":\"/no/such/file\"}", "IMPORT_REFUSED")]
    public async Task A_wrong_call_is_answered_with_what_is_wrong(string? confirm, string body, string code)
    {
        using var client = new HttpClient { BaseAddress = server.Url };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/admin/v1/imports");
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"x:{AdminSecret}")));
        if (confirm is not null) request.Headers.Add("Confirm", confirm);
        using var answer = await client.SendAsync(request);
        Assert.Equal(code, (await answer.Json()).Text("code"));
        using var unknown = await client.GetAsync("/admin/v1/imports");
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
    }

    [Theory]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public async Task A_file_past_the_bound_is_refused_and_leaves_nothing_behind(int bytes, bool fits)
    {
        var directory = Path.Combine(folder, "uploads");
        var files = new UploadedFiles(directory, bytesMax: 1000);
        var http = new DefaultHttpContext();
        http.Request.Body = new MemoryStream(new byte[bytes]);
        if (fits) Assert.Equal(bytes, new FileInfo(await files.Keep(http)).Length);
        else await Assert.ThrowsAsync<RequestRefusedException>(() => files.Keep(http));
        Assert.Equal(fits ? 1 : 0, Directory.GetFiles(directory).Length);
    }
}
