using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Mirubato.Bench;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;
using Npgsql;

namespace Mirubato.Tests.Silo;

/// <summary>Which ports a silo opens, on which address, and who may speak to it there.</summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class SiloProcessTests(PostgresCluster postgres)
{
    private const string FirstUseFailed = "The first use that a start makes";

    [Fact]
    public async Task Two_silos_over_SQLite_run_side_by_side_on_loopback_and_say_nothing_of_Orleans()
    {
        await using var one = await SiloProcess.Start();
        await using var two = await SiloProcess.Start();

        foreach (var silo in (SiloProcess[])[one, two])
        {
            using var phone = new HttpDevice(silo.Url, "ada", "phone");
            await phone.Push("\"goals\":[{\"id\":\"g1\",\"updatedAt\":1}]");
            Assert.DoesNotContain("Orleans", silo.Printed, StringComparison.Ordinal);
            Assert.All(Listening(silo), at => Assert.True(IPAddress.IsLoopback(at.Address), $"{at} is no loopback address."));
        }

        Assert.Equal(0, await one.Stop());
        Assert.Equal(0, await two.Stop());
    }

    [Fact]
    public async Task A_silo_leaves_no_file_behind_but_its_data()
    {
        await using var silo = await SiloProcess.Start();
        using var phone = new HttpDevice(silo.Url, "ada", "phone");
        await phone.Push("\"goals\":[{\"id\":\"g1\",\"updatedAt\":1}]");

        Assert.Equal(0, await silo.Stop());
        Assert.Empty(silo.Home.EnumerateFileSystemInfos("*.xml", SearchOption.AllDirectories));
        Assert.Empty(silo.Temporary.EnumerateFileSystemInfos("mirubato*"));
        Assert.DoesNotContain(FirstUseFailed, silo.Printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Silo:Mode=silo")]
    [InlineData("--Auth:Secret=", "--Auth:Authority=https://sign-in.invalid", "--Auth:Audience=mirubato")]
    public async Task The_first_use_of_a_process_takes_no_push_where_none_is_served_or_no_token_can_be_signed(params string[] settings)
    {
        await using var silo = await SiloProcess.Start(
            [await Postgres(), $"--Silo:Port={FreePort.Next()}", $"--Silo:GatewayPort={FreePort.Next()}", .. settings]);

        Assert.Equal(0, await silo.Stop());
        Assert.DoesNotContain(FirstUseFailed, silo.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_without_a_folder_for_temporary_files_serves_and_says_that_its_first_use_failed()
    {
        await using var silo = await SiloProcess.StartWithoutTemporaryFolder();
        using var phone = new HttpDevice(silo.Url, "ada", "phone");

        await phone.Push("\"goals\":[{\"id\":\"g1\",\"updatedAt\":1}]");

        Assert.Equal(0, await silo.Stop());
        Assert.Contains(FirstUseFailed, silo.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_that_is_told_to_stop_while_PostgreSQL_is_away_ends_soon_after_its_time_for_that_and_says_so()
    {
        var store = await PostgresCluster.StartOwn(fsync: false);
        try
        {
            await using var silo = await SiloProcess.Start(
                $"--Storage:Postgres={await store.FreshDatabase()}", $"--Silo:Port={FreePort.Next()}",
                $"--Silo:GatewayPort={FreePort.Next()}", "--Limits:ShutdownSeconds=1");
            await store.Kill();

            Assert.Equal(1, await silo.Stop());
            Assert.Contains("did not stop within 3 s", silo.Printed, StringComparison.Ordinal);
        }
        finally
        {
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_silo_listens_on_its_configured_address_only()
    {
        var (port, gatewayPort) = (FreePort.Next(), FreePort.Next());
        await using var silo = await SiloProcess.Start(
            await Postgres(), "--Silo:Address=127.0.0.2", $"--Silo:Port={port}", $"--Silo:GatewayPort={gatewayPort}");

        foreach (var taken in (int[])[port, gatewayPort])
        {
            using var invited = new TcpClient();
            await invited.ConnectAsync(IPAddress.Parse("127.0.0.2"), taken);
            using var other = new TcpClient();
            await Assert.ThrowsAsync<SocketException>(() => other.ConnectAsync(IPAddress.Loopback, taken));
        }
    }

    [Fact]
    public async Task A_taken_silo_port_ends_the_start_with_what_to_do_about_it()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var (code, printed) = await SiloProcess.Fail(await Postgres(), $"--Silo:Port={port}", $"--Silo:GatewayPort={FreePort.Next()}");

        Assert.Equal(1, code);
        Assert.Contains($"Silo:Port {port} ", printed, StringComparison.Ordinal);
        Assert.Contains("choose others: --Silo:Port=", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_that_loses_the_store_while_it_starts_starts_again()
    {
        var database = new NpgsqlConnectionStringBuilder(await postgres.FreshDatabase()) { SslMode = SslMode.Disable };
        await using var proxy = new CuttingProxy(database.Host!, database.Port, "SELECT QueryKey, QueryText FROM OrleansQuery");
        database.Host = "127.0.0.1";
        database.Port = proxy.Port;

        await using var silo = await SiloProcess.Start(
            $"--Storage:Postgres={database}", $"--Silo:Port={FreePort.Next()}", $"--Silo:GatewayPort={FreePort.Next()}");

        Assert.Equal(CuttingProxy.CutsMax, proxy.Cuts);
        using var phone = new HttpDevice(silo.Url, "ada", "phone");
        await phone.Push("\"goals\":[{\"id\":\"g1\",\"updatedAt\":1}]");
    }

    [Fact]
    public async Task Silos_with_certificates_of_one_authority_are_one_cluster_and_nobody_else_gets_in()
    {
        using var own = new TestCertificates();
        using var foreign = new TestCertificates();
        var (database, port) = (await Postgres(), FreePort.Next());
        await using var one = await SiloProcess.Start(Secured(database, own, "one", port));
        await using var two = await SiloProcess.Start(Secured(database, own, "two", FreePort.Next()));

        // The user's activation is in one of the two; that both take pushes shows that the other is reached.
        foreach (var (silo, i) in (IEnumerable<(SiloProcess, int)>)[(one, 1), (two, 2)])
        {
            using var phone = new HttpDevice(silo.Url, "ada", "phone");
            await phone.Push($"\"goals\":[{{\"id\":\"g{i}\",\"updatedAt\":1}}]");
        }

        Assert.True(await IsLetIn(port, own.Pem("three"), own.Authority));
        Assert.False(await IsLetIn(port, foreign.Pem("three"), own.Authority));
        Assert.False(await IsLetIn(port, null, own.Authority));
    }

    private async Task<string> Postgres() => $"--Storage:Postgres={await postgres.FreshDatabase()}";

    private static string[] Secured(string database, TestCertificates certificates, string name, int port) =>
    [
        database, $"--Silo:Port={port}", $"--Silo:GatewayPort={FreePort.Next()}", $"--Silo:Tls:Certificate={certificates.Pem(name)}",
        $"--Silo:Tls:CertificateAuthority={certificates.Authority}",
    ];

    /// <summary>Whether the silo goes on after the handshake: whom it lets in it tells who it is, and else it closes.</summary>
    private static async Task<bool> IsLetIn(int port, string? certificate, string authority)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        using var root = X509CertificateLoader.LoadCertificateFromFile(authority);
        using var own = certificate is null ? null : X509Certificate2.CreateFromPemFile(certificate);
        await using var stream = new SslStream(client.GetStream());
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                ClientCertificates = own is null ? [] : [own],
                RemoteCertificateValidationCallback = (_, server, _, _) => server?.Issuer == root.Subject,
            });
            return await stream.ReadAsync(new byte[1]) > 0;
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }

    /// <summary>Where the process listens, by the system's own tables.</summary>
    private static IEnumerable<IPEndPoint> Listening(SiloProcess silo)
    {
        var sockets = Directory.EnumerateFiles($"/proc/{silo.Id}/fd")
            .Select(fd => new FileInfo(fd).LinkTarget ?? "")
            .Where(link => link.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(link => link[8..^1]).ToHashSet();
        var own = File.ReadLines("/proc/net/tcp")
            .Concat(File.ReadLines("/proc/net/tcp6"))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(cells => cells[3] == "0A" && sockets.Contains(cells[9])).Select(cells => cells[1].Split(':')).ToList();
        Assert.Equal(2, own.Count);
        return own.Select(
            at =>
                new IPEndPoint(
                    new IPAddress([.. Convert.FromHexString(at[0]).Chunk(4).SelectMany(word => word.Reverse())]),
                    Convert.ToInt32(at[1], 16)));
    }
}
