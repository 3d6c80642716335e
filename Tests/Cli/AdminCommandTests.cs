using Mirubato.Cli;

namespace Mirubato.Tests.Cli;

/// <summary>Which calls of the Admin API each command makes, with which confirmation, and what it shows of the answers.</summary>
public sealed class AdminCommandTests : IAsyncLifetime
{
    private RecordedApi api = null!;

    public async Task InitializeAsync() => api = await RecordedApi.Start();

    public async Task DisposeAsync() => await api.DisposeAsync();

    [Theory]
    [InlineData("user show ada", "GET /admin/v1/users/ada")]
    [InlineData("user show ada --content", "GET /admin/v1/users/ada?content=true")]
    [InlineData("user resync a/b", "POST /admin/v1/users/a%2Fb/resync resync")]
    [InlineData("user disconnect ada", "POST /admin/v1/users/ada/disconnect disconnect")]
    [InlineData("user sign-out ada", "POST /admin/v1/users/ada/sign-out sign-out")]
    [InlineData("user erase ada", "POST /admin/v1/users/ada/erase erase")]
    [InlineData("device list ada", "GET /admin/v1/users/ada")]
    [InlineData("device evict ada phone", "DELETE /admin/v1/users/ada/devices/phone revoke")]
    [InlineData("node list", "GET /admin/v1/silos")]
    [InlineData("node drain Silo_1 --wait 0", "POST /admin/v1/silos/Silo_1/drain drain")]
    [InlineData("node resume 10.0.0.5:11111", "DELETE /admin/v1/silos/10.0.0.5%3A11111/drain resume")]
    public async Task A_command_makes_its_documented_call(string command, string call)
    {
        await CommandLine.Json([.. command.Split(' '), "--yes", .. api.Server]);
        Assert.Equal([Uri.UnescapeDataString(call)], api.Asked.Select(Uri.UnescapeDataString));
    }

    [Theory]
    [InlineData("user erase ada")]
    [InlineData("user resync ada")]
    [InlineData("device evict ada phone")]
    [InlineData("node drain Silo_1")]
    public async Task What_changes_something_is_not_asked_without_a_yes(string command)
    {
        var (code, _, error) = await CommandLine.Run([.. command.Split(' '), .. api.Server]);
        Assert.Equal((int)ExitCode.Usage, code);
        Assert.Contains("--yes", error, StringComparison.Ordinal);
        Assert.Empty(api.Asked);
    }

    [Fact]
    public async Task An_unhealthy_cluster_is_shown_and_ends_with_1()
    {
        var (code, output, _) = await CommandLine.Run(["status", .. api.Server]);
        Assert.Equal((int)ExitCode.Failed, code);
        foreach (var figure in (string[])["unhealthy", "postgres timeout", "812", "0.018 s"])
            Assert.Contains(figure, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_is_behind_is_shown()
    {
        var (code, output, _) = await CommandLine.Run(["device", "list", "ada", .. api.Server]);
        Assert.Equal(0, code);
        Assert.Matches(@"phone\s+2026-11-26T10:15:00.000Z\s+1222\s+12\s+yes", output);
    }

    [Fact]
    public async Task A_drain_waits_until_the_silo_is_empty()
    {
        var (code, output, _) = await CommandLine.Run(["node", "drain", "Silo_1", "--yes", .. api.Server]);
        Assert.Equal(0, code);
        Assert.Contains("stop its process", output, StringComparison.Ordinal);
        Assert.Equal(3, api.Asked.Count);
    }

    [Fact]
    public async Task A_drain_that_does_not_end_in_time_fails_and_says_so()
    {
        await using var slow = await RecordedApi.Start(drainedAfter: int.MaxValue);
        var (code, _, error) = await CommandLine.Run(["node", "drain", "Silo_1", "--yes", "--wait", "1", .. slow.Server]);
        Assert.Equal((int)ExitCode.Failed, code);
        Assert.Contains("--wait", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_goes_to_the_screen_or_to_a_file()
    {
        var file = Path.Combine(Path.GetTempPath(), $"mirubato-export-{Guid.NewGuid():n}");
        try
        {
            var (_, output, _) = await CommandLine.Run(["user", "export", "ada", .. api.Server]);
            await CommandLine.Json(["user", "export", "ada", "--out", file, .. api.Server]);
            Assert.Equal(await File.ReadAllTextAsync(file), output);
            Assert.Equal("GET /admin/v1/users/ada/export", api.Asked[0]);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
