using Microsoft.Data.Sqlite;
using Mirubato.Bench;
using Mirubato.Cli.Doctor;
using Mirubato.Tests.EndToEnd;

namespace Mirubato.Tests.Cli;

/// <summary>Faults of settings, machine, file and the way clients come, each planted and found.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-doctor-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Database => Path.Combine(folder, "sync.db");

    private string Setting => $"--Storage:SqlitePath={Database}";

    [Fact]
    public async Task A_sound_server_is_green_throughout()
    {
        await using var server = await LiveServer.Start(Setting);
        (await Patient.Examine(server.Url, one => one, Setting)).AllAreGreen();
    }

    [Fact]
    public async Task All_settings_that_prevent_a_start_are_reported_in_the_servers_words()
    {
        var findings = await Patient.Examine("--Auth:Secret=short", "--Limits:RequestBurts=5", "--Silo:Port=12345");
        findings.Shows(Light.Red, "configuration", "Auth:Secret is 5 bytes long", "openssl rand -base64 48");
        findings.Shows(Light.Red, "configuration", "Limits:RequestBurts is not a setting", "Use one of");
        findings.Shows(Light.Red, "configuration", "Silo:Port is '12345' while Storage:Postgres is not set", "leave Silo:Port out");
        Assert.Equal(3, findings.Count);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(1000, false)]
    public async Task A_disk_that_fills_up(long mebiBytes, bool isRed) =>
        (await Patient.Examine(null, one => one with { Disk = _ => (mebiBytes << 20, 1L << 40) }, Setting)).Shows(
            isRed ? Light.Red : Light.Amber, "disk", "MiB left", "Make room");

    [Fact]
    public async Task Fewer_files_than_connections() =>
        (await Patient.Examine(null, one => one with { OpenFilesMax = () => 1024 }, Setting)).Shows(
            Light.Amber, "open files", "may open 1,024 files", "LimitNOFILE=60500");

    [Fact]
    public async Task A_file_that_is_damaged()
    {
        await Make();
        using (var file = File.OpenWrite(Database))
        {
            file.Position = 4096;
            file.Write(new byte[(int)file.Length - 4096]);
        }

        Assert.Contains(
            await Patient.Examine(Setting),
            finding => finding is { Light: Light.Red, Check: "sqlite" } && finding.Remedy!.Contains("mirubato restore", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_other_accounts_read()
    {
        if (OperatingSystem.IsWindows()) return;
        await Make();
        File.SetUnixFileMode(Database, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        (await Patient.Examine(Setting)).Shows(Light.Amber, "sqlite", "Other accounts may read", "chmod 600");
    }

    [Fact]
    public async Task A_file_that_is_another_programs()
    {
        using (var other = new SqliteConnection($"Data Source={Database};Pooling=false"))
        {
            other.Open();
            using var command = other.CreateCommand();
            command.CommandText = "CREATE TABLE songs (id INTEGER)";
            command.ExecuteNonQuery();
        }

        (await Patient.Examine(Setting)).Shows(Light.Red, "schema", "is no database of this server", "Correct Storage:SqlitePath");
    }

    [Fact]
    public async Task Rows_that_were_changed_past_the_server()
    {
        await Make();
        (await Patient.Examine(Setting)).AllAreGreen();
        using (var connection = new SqliteConnection($"Data Source={Database};Pooling=false"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE sync_data SET version = version + 1";
            command.ExecuteNonQuery();
        }

        (await Patient.Examine(Setting)).Shows(Light.Red, "digest", "1 of 1 users", "past the server");
    }

    [Fact]
    public async Task A_server_that_does_not_answer() =>
        (await Patient.Examine(new Uri($"http://127.0.0.1:{FreePort.Next()}/"), one => one, Setting)).Shows(
            Light.Red, "url", "does not answer", "Start the server");

    [Fact]
    public async Task A_proxy_that_drops_upgrades_and_refuses_bodies()
    {
        await using var server = await LiveServer.Start(Setting);
        await using var proxy = await PlainProxy.Start(server.Url, bodyBytesMax: 100_000);
        var findings = await Patient.Examine(proxy.Url, one => one, Setting);
        findings.Shows(Light.Red, "websocket", "The upgrade does not arrive", "proxy_set_header Upgrade");
        findings.Shows(Light.Red, "bodies", "does not pass (413)", "client_max_body_size");
        Assert.Equal(2, findings.Count(finding => finding.Light is not Light.Green));
    }

    [Fact]
    public async Task Another_secret_than_the_servers()
    {
        await using var server = await LiveServer.Start(Setting);
        (await Patient.Examine(server.Url, one => one, Setting, "--Auth:Secret=another secret that is long enough for it")).Shows(
            Light.Red, "websocket", "refuses a token", "Set the same Auth:Secret");
    }

    [Fact]
    public async Task Something_else_at_the_address()
    {
        await using var page = await PlainProxy.Page("a page of the proxy's own");
        var findings = await Patient.Examine(page.Url, one => one, Setting);
        findings.Shows(Light.Red, "url", "is not this server", "Let the proxy pass");
        findings.Shows(Light.Red, "websocket", "No socket opens", "pass /sync/ws on");
    }

    [Fact]
    public async Task A_server_of_another_release_whose_store_is_away()
    {
        await using var page = await PlainProxy.Page("""{"status":"unhealthy","version":"9.9.9","reason":"unreachable"}""", 503, isServer: true);
        var findings = await Patient.Examine(page.Url, one => one, Setting);
        findings.Shows(Light.Amber, "version", "The server is 9.9.9", "finish it");
        findings.Shows(Light.Red, "ready", "not ready (reason unreachable)", "runbook");
    }

    [Theory]
    [InlineData(-1, "has expired")]
    [InlineData(90, "is not trusted")]
    public async Task A_certificate_that_browsers_refuse(int days, string says)
    {
        await using var server = await LiveServer.Start(Setting);
        await using var proxy = await PlainProxy.Start(server.Url, certificateDays: days);
        (await Patient.Examine(proxy.Url, one => one, Setting)).Shows(Light.Red, "certificate", says, "Renew it");
    }

    private async Task Make()
    {
        await using var server = await LiveServer.Start(Setting);
        using var device = server.Device("ada", "phone");
        await device.Push("\"goals\":[{\"id\":\"g\",\"updatedAt\":1}]");
    }
}
