using Mirubato.Gateway;
using Mirubato.Grains;
using Mirubato.Silo;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.EndToEnd;

public sealed class AdministrationTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-admin-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task After_a_restore_bumped_epochs_make_devices_start_over_and_no_revision_is_given_out_twice() // 40
    {
        var setting = $"--Storage:SqlitePath={Path.Combine(directory, "sync.db")}";
        string? token;
        await using (var server = await LiveServer.Start(setting))
        {
            using var device = server.Device("ada", "d");
            await device.Push("\"goals\":[{\"id\":\"g\",\"updatedAt\":1}]");
            token = (await device.Pull()).Text("syncToken");
        }

        var status = await GatewayHost.Administer(
            ["--environment=Test", $"--Auth:Secret={Edge.Secret}", setting],
            SiloHost.Compose,
            Administration.BumpEpochs, "users");
        Assert.Equal(0, status);

        await using var again = await LiveServer.Start(setting);
        using var same = again.Device("ada", "d");
        Assert.True((await same.Pull(token)).GetProperty("reset").GetBoolean());
        var seq = (await same.Push("\"goals\":[{\"id\":\"h\",\"updatedAt\":1}]")).Only("results").GetProperty("seq").GetInt64();
        Assert.True(seq > 1_000_000_000);
    }
}
