using System.Text.Json;
using System.Text.Json.Nodes;
using Mirubato.Cli;
using Mirubato.Cli.Doctor;
using Mirubato.Tests.Admin;
using Mirubato.Tests.Docs;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Cli;

/// <summary>Support bundles: the one that the client's own test writes, with faults planted in it, and what is no bundle.</summary>
public sealed class DoctorBundleTests : IDisposable
{
    private const string Epoch = "6f9c1f0e0d9a4c55b2a6c1d2e3f40516";
    private static readonly string Vector = Path.Combine(AppContext.BaseDirectory, "Vectors", "support-bundle.json");
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-bundle-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Bundle => Path.Combine(folder, "bundle.json");

    [Fact]
    public async Task The_bundle_of_the_clients_test_is_read_and_each_problem_is_reported_with_its_remedy()
    {
        var findings = Findings(await CommandLine.Run("doctor", "--bundle", Vector, "--json"), ExitCode.Failed);

        findings.Shows(Light.Green, "sdk", "@mirubato/sync", remedy: null);
        findings.Shows(Light.Amber, "clock", "90 s ahead of", "automatic time");
        findings.Shows(Light.Green, "connection", "(live)", remedy: null);
        findings.Shows(Light.Red, "parked", "1 parked because it is too large (too_large): logbook_entry long.", "shorten it");
        findings.Shows(Light.Amber, "parked", "(quota): goal full. The device retries by itself.", "Limits:UserBytes");
        findings.Shows(Light.Amber, "unsent", "1 edit waits, the oldest for 2 days. They are on this device only", "do not sign out");
        findings.Shows(Light.Amber, "storage", "95", "make room");
        findings.Shows(Light.Red, "history", "digest is not the server's, at the same revision, 7", "mirubato user resync USER");
        findings.Shows(Light.Green, "server", "names no user", remedy: null);
        Assert.Equal(9, findings.Count);
    }

    [Fact]
    public void A_sound_device_is_green_throughout() => Examine(_ => { }).AllAreGreen();

    [Theory]
    [InlineData("sdk", "Amber", "/sdk", "\"0.0.9\"", "older than this release", "Update the package")]
    [InlineData("sdk", "Amber", "/sdk", "\"of the app\"", "of the app", "Update the package")]
    [InlineData("sdk", "Red", "/protocol", "0", "protocol version 0", "Update @mirubato/sync")]
    [InlineData("sdk", "Red", "/protocol", "2", "protocol version 2", "Upgrade the server")]
    [InlineData("clock", "Amber", "/server/clockAheadMs", "-5000", "5 s behind", "automatic time")]
    [InlineData("clock", "Red", "/server/clockAheadMs", "600000", "10 minutes ahead of", "automatic time")]
    [InlineData("clock", "Red", "/server/clockAheadMs", "1e300", "days ahead of", "automatic time")]
    [InlineData("connection", "Amber", "/status/connection", "\"polling\"", "sockets are blocked", "/sync/ws")]
    [InlineData("connection", "Amber", "/status/connection", "\"waiting\"", "does not reach the server; it", "/health on the device")]
    [InlineData("connection", "Amber", "/status/connection", "\"offline\"", "is offline", "goOnline()")]
    [InlineData("connection", "Amber", "/status/connection", "\"closed\"", "was closed", "while it is open")]
    [InlineData("connection", "Red", "/status/connection", "\"signedOut\"", "is signed out", "sign in again")]
    [InlineData("connection", "Red", "/status/connection", "\"refused\"", "refused (refused)", "docs/protocol.md")]
    [InlineData("connection", "Amber", "/server/failure", """{"code":"OFFLINE","status":0}""", "(OFFLINE)", "check its network")]
    [InlineData("connection", "Amber", "/server/failure", """{"code":"HTTP_403","status":403}""", "(HTTP_403, HTTP 403)", "what is between")]
    [InlineData("connection", "Red", "/server/failure", """{"code":"DEVICE_REVOKED","status":403}""", "turned it away", "allows it")]
    [InlineData("connection", "Red", "/server/failure", """{"code":"DEVICE_QUOTA","status":403}""", "as many devices", "device evict")]
    [InlineData("connection", "Red", "/server/failure", """{"code":"SCHEMA_MISMATCH","status":409}""", "another protocol", "Update")]
    [InlineData("connection", "Red", "/server/failure", """{"code":"TOKEN_EXPIRED","status":401}""", "has expired", "as a function")]
    [InlineData("connection", "Red", "/server/failure", """{"code":"INVALID_TOKEN","status":401}""", "does not take its token", "Auth:Secret")]
    [InlineData("unsent", "Amber", "/unsent", """{"count":2,"oldestAt":"2027-01-01T00:00:00.000Z"}""", "2 edits wait", "would lose them")]
    [InlineData("unsent", "Amber", "/unsent", """{"count":1,"oldestAt":"2027-01-16T08:00:00.000Z"}""", "for 24 hours", "would lose them")]
    [InlineData("storage", "Amber", "/storage/usedBytes", "90", "90", "make room")]
    [InlineData("storage", "Red", "/storage/usedBytes", "98", "98", "make room")]
    [InlineData("storage", "Red", "/errors/0/kind", "\"quota\"", "was not stored", "make room")]
    [InlineData("errors", "Amber", "/errors/0/kind", "\"lost\"", "browser deleted", "navigator.storage.persist()")]
    [InlineData("errors", "Amber", "/errors/0/kind", "\"healed\"", "differed from the server 1 times", "nothing but the package")]
    [InlineData("history", "Amber", "/cursor/epoch", "null", "not pulled yet", "reach the server once")]
    [InlineData("history", "Amber", "/cursor/epoch", "\"another\"", "another epoch", "starts over")]
    [InlineData("history", "Red", "/cursor/lastSeq", "9", "at revision 9, ahead of the server's 7 then", "--bump-epochs")]
    [InlineData("history", "Red", "/cursor/digest", "\"00\"", "digest is not", "fetches everything again")]
    public void A_planted_fault_is_found_and_is_the_only_one(
        string check, string light, string member, string value, string says, string remedy)
    {
        var findings = Examine(bundle => Plant(bundle, member, value));

        findings.Shows(Enum.Parse<Light>(light), check, says, remedy);
        Assert.Single(findings, finding => finding.Light is not Light.Green);
    }

    [Theory]
    [InlineData("/server/clockAheadMs", "-4999")]
    [InlineData("/server/clockAheadMs", "null")]
    [InlineData("/unsent", """{"count":1,"oldestAt":"2027-01-16T08:00:01.000Z"}""")]
    [InlineData("/storage/usedBytes", "89")]
    [InlineData("/storage/quotaBytes", "null")]
    [InlineData("/sdk", "\"9.1.0-beta.1\"")]
    [InlineData("/cursor/lastSeq", "5")]
    [InlineData("/cursor/digest", "null")]
    [InlineData("/server/digest", "null")]
    [InlineData("/server/lastSeq", "null")]
    public void What_is_within_bounds_or_not_known_is_no_fault(string member, string value) =>
        Examine(bundle => Plant(bundle, member, value)).AllAreGreen();

    [Fact]
    public void A_device_that_loses_the_server_again_and_again_gets_advice_about_proxies()
    {
        var lost = string.Join(',', Enumerable.Repeat("""{"at":"2027-01-15T08:00:00.000Z","kind":"connection","code":"waiting"}""", 5));
        Examine(bundle => Plant(bundle, "/errors", $"[{lost}]")).Shows(Light.Amber, "errors", "lost the server 5 times", "timeout");
    }

    [Fact]
    public void The_last_refusal_says_why_a_device_is_signed_out()
    {
        var findings = Examine(bundle =>
        {
            Plant(bundle, "/status/connection", "\"signedOut\"");
            Plant(bundle, "/errors", """[{"at":"2027-01-15T08:00:00.000Z","kind":"signedOut","code":"OTHER_USER"}]""");
        });
        findings.Shows(Light.Red, "connection", "a token of another user", "one store a user");
    }

    [Fact]
    public void Every_reason_of_an_item_has_a_remedy_of_its_own()
    {
        var documented = MarkdownTable.Rows(MarkdownTable.Section(SourceTree.Read("docs/protocol.md"), "### Item reasons")).Keys;
        Assert.All(documented, reason => Assert.NotEqual(ParkedEdits.Why("another"), ParkedEdits.Why(reason)));
    }

    [Theory]
    [InlineData("", "no JSON")]
    [InlineData("{\"format\":\"mirubato-support\",", "cut off")]
    [InlineData("[]", "JSON of something else")]
    [InlineData("{\"format\":\"another\",\"version\":1}", "JSON of something else")]
    [InlineData("{\"format\":\"mirubato-support\"}", "of which version")]
    [InlineData("{\"format\":\"mirubato-support\",\"version\":2}", "use the mirubato of a newer release")]
    [InlineData("{\"format\":\"mirubato-support\",\"version\":1}", "lacks members")]
    [InlineData("{\"format\":\"mirubato-support\",\"version\":1,\"app\":\"\\u001b[2J\"}", "control characters")]
    [InlineData("{\"format\":\"mirubato-support\",\"version\":1,\"\\u0007\":1}", "control characters")]
    [InlineData("{\"format\":\"mirubato-support\",\"version\":1,\"app\":\"\\ud800\"}", "text that is none")]
    [InlineData("{\"format\":\"mirubato-support\",\"version\":1,\"a\":[[[[[[[[[[1]]]]]]]]]]}", "no whole support bundle")]
    public async Task What_is_no_bundle_is_refused_with_what_to_do(string text, string says)
    {
        await File.WriteAllTextAsync(Bundle, text);
        var (code, output, error) = await CommandLine.Run("doctor", "--bundle", Bundle);
        Assert.Equal(((int)ExitCode.Failed, ""), (code, output));
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.Contains(says.StartsWith("use", StringComparison.Ordinal) ? "newer release" : "supportBundle()", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/cursor/lastSeq", "\"7\"", "$.cursor.lastSeq")]
    [InlineData("/device/id", "null", "$.device")]
    [InlineData("/at", "\"yesterday\"", "$.at")]
    [InlineData("/parked/edits", "{}", "$.parked.edits")]
    public void A_member_of_another_kind_is_named(string member, string value, string path)
    {
        var failure = Assert.Throws<CommandFailedException>(() => Examine(bundle => Plant(bundle, member, value)));
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1024 * 1024, "no JSON")]
    [InlineData((1024 * 1024) + 1, "at most 1,048,576")]
    public async Task A_file_past_the_bound_is_not_read(int bytes, string says)
    {
        await File.WriteAllBytesAsync(Bundle, new byte[bytes]);
        var (code, _, error) = await CommandLine.Run("doctor", "--bundle", Bundle);
        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no file", "--bundle", "none.json")]
    [InlineData("say one of them", "--bundle", "none.json", "--url", "http://localhost")]
    [InlineData("name that with --bundle", "--user", "ada")]
    public async Task Wrong_arguments_are_reported(string says, params string[] args)
    {
        var (code, _, error) = await CommandLine.Run(["doctor", .. args]);
        Assert.Equal((int)ExitCode.Usage, code);
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_bundle_names_is_shown_as_it_is_and_not_as_markup()
    {
        await Write(bundle => Plant(bundle, "/parked", """
            {"count":1,"edits":[{"type":"goal","id":"[red]x[/]","reason":"invalid","retries":false}]}
            """));
        var (code, output, error) = await CommandLine.Run("doctor", "--bundle", Bundle);
        Assert.True(code == (int)ExitCode.Failed, error);
        Assert.Contains("goal [red]x[/].", output, StringComparison.Ordinal);
        Assert.Contains("→", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_is_compared_with_what_the_server_knows_of_it()
    {
        await using var server = await AdminServer.Start();
        using var phone = server.Device("ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        await phone.Pull();
        string[] at = ["--server", $"{server.Url}", "--secret", AdminServer.Secret];
        await WriteAsStored();

        (await Doctor(ExitCode.Done, ["--user", "ada", .. at])).AllAreGreen();
        (await Doctor(ExitCode.Done, "--user", "ada", "--server", "http://127.0.0.1:1", "--secret", "x")).Shows(
            Light.Amber, "server", "was not asked about the user ada", "--server");
        (await Doctor(ExitCode.Failed, ["--user", "nobody", .. at])).Shows(Light.Red, "server", "There is no such user.", "Check the name");
        await Write(bundle => Plant(bundle, "/device/id", "\"tablet\""));
        (await Doctor(ExitCode.Done, ["--user", "ada", .. at])).Shows(Light.Amber, "server", "does not know the device tablet", "a year");

        await WriteAsStored(bundle => Plant(bundle, "/cursor/digest", "\"00\""));
        (await Doctor(ExitCode.Failed, ["--user", "ada", .. at])).Shows(Light.Red, "history", "digest is not", "mirubato user resync ada");
        await WriteAsStored(bundle => Plant(bundle, "/cursor/lastSeq", "2"));
        (await Doctor(ExitCode.Failed, ["--user", "ada", .. at])).Shows(Light.Red, "history", "ahead of the server's 1 now", "resync ada");
        await WriteAsStored(bundle => Plant(bundle, "/user", "\"ada\""));
        (await server.Send(HttpMethod.Delete, "/admin/v1/users/ada/devices/phone", "revoke")).Dispose();
        (await Doctor(ExitCode.Failed, at)).Shows(Light.Red, "server", "was turned away at", "allows it");
        await server.Act("ada", "resync");
        (await Doctor(ExitCode.Failed, at)).Shows(Light.Amber, "history", "another epoch than the server had now", "starts over");

        async Task WriteAsStored(Action<JsonNode>? change = null)
        {
            var stored = await server.User("ada");
            await Write(bundle =>
            {
                Plant(bundle, "/cursor", JsonSerializer.Serialize(
                    new { epoch = stored.Text("epoch"), lastSeq = stored.GetProperty("head").GetInt64(), digest = stored.Text("digest") }));
                change?.Invoke(bundle);
            });
        }
    }

    /// <summary>The client's bundle with its troubles mended, and what a test plants in it.</summary>
    private async Task Write(Action<JsonNode> change)
    {
        var bundle = JsonNode.Parse(await File.ReadAllTextAsync(Vector))!;
        Plant(bundle, "/server", $$"""
            {"url":"https://sync.test","version":"0.1.0","clockAheadMs":0,"epoch":"{{Epoch}}","lastSeq":7,"digest":"ff","failure":null}
            """);
        Plant(bundle, "/cursor", $$"""{"epoch":"{{Epoch}}","lastSeq":7,"digest":"ff"}""");
        Plant(bundle, "/at", "\"2027-01-17T08:00:00.000Z\"");
        Plant(bundle, "/unsent", """{"count":0,"oldestAt":null}""");
        Plant(bundle, "/parked", """{"count":0,"edits":[]}""");
        Plant(bundle, "/lastFailure", "null");
        Plant(bundle, "/errors", """[{"at":"2027-01-15T08:00:00.000Z","kind":"socket","code":"UNAVAILABLE"}]""");
        Plant(bundle, "/storage", """{"usedBytes":1,"quotaBytes":100,"persisted":false}""");
        change(bundle);
        await File.WriteAllTextAsync(Bundle, bundle.ToJsonString());
    }

    private List<Finding> Examine(Action<JsonNode> change)
    {
        Write(change).GetAwaiter().GetResult();
        var bundle = BundleFile.Read(new FileInfo(Bundle));
        var told = bundle.Server;
        return
        [
            .. BundleChecks.Run(bundle),
            .. told is { Epoch: { } epoch, LastSeq: { } head }
                ? BundleHistory.Compare(bundle.Cursor, new ServerHistory(epoch, head, told.Digest, "then"), user: null)
                : [],
        ];
    }

    private async Task<List<Finding>> Doctor(ExitCode expected, params string[] args) =>
        Findings(await CommandLine.Run(["doctor", "--bundle", Bundle, "--json", .. args]), expected);

    private static List<Finding> Findings((int Code, string Out, string Error) ran, ExitCode expected)
    {
        Assert.True(ran.Code == (int)expected, $"{ran.Code}: {ran.Error}{ran.Out}");
        return
        [
            .. JsonDocument.Parse(ran.Out).RootElement.List("findings").Select(finding => new Finding(
                finding.Text("check")!, Enum.Parse<Light>(finding.Text("light")!, ignoreCase: true), finding.Text("says")!,
                finding.GetProperty("remedy").GetString())),
        ];
    }

    private static void Plant(JsonNode bundle, string member, string value)
    {
        var names = member.Split('/')[1..];
        var into = bundle;
        foreach (var name in names[..^1]) into = into is JsonArray list ? list[int.Parse(name)]! : into[name]!;
        into[names[^1]] = JsonNode.Parse(value);
    }
}
