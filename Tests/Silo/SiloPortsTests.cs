using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Mirubato.Bench;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Silo;

/// <summary>Who gets in at the silo ports, and what a start says when everybody does.</summary>
[Collection(SharesPostgresWithSilos.Name)]
public sealed class SiloPortsTests(PostgresCluster postgres)
{
    private const byte TlsAlert = 21;

    [Fact]
    public async Task A_silo_that_is_alone_lets_nobody_in_at_its_port()
    {
        var folder = Directory.CreateTempSubdirectory("mirubato-alone-");
        await using (var server = await LiveServer.Start($"--Storage:SqlitePath={Path.Combine(folder.FullName, "sync.db")}"))
        {
            var silo = server.Services.GetRequiredService<ILocalSiloDetails>();
            Assert.Null(silo.GatewayAddress);
            Assert.True(IPAddress.IsLoopback(silo.SiloAddress.Endpoint.Address));
            using var certificates = new TestCertificates();
            using var certificate = X509Certificate2.CreateFromPemFile(certificates.Pem("neighbour"));
            Assert.False(await IsLetIn(silo.SiloAddress.Endpoint, stream => Task.FromResult(stream)));
            Assert.False(await IsLetIn(silo.SiloAddress.Endpoint, stream => Secured(stream, [])));
            Assert.False(await IsLetIn(silo.SiloAddress.Endpoint, stream => Secured(stream, [certificate])));
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_start_on_an_address_that_others_reach_warns_unless_there_is_TLS()
    {
        if (ReachableAddress() is not { } address) return;
        using var certificates = new TestCertificates();
        string[] secured =
        [
            $"--Silo:Tls:Certificate={certificates.Pem("silo")}", $"--Silo:Tls:CertificateAuthority={certificates.Authority}",
        ];
        foreach (var (more, warns) in ((string[], bool)[])[([], true), (secured, false)])
        {
            await using var silo = await SiloProcess.Start(
                [
                    $"--Storage:Postgres={await postgres.FreshDatabase()}", $"--Silo:Address={address}", $"--Silo:Port={FreePort.Next()}",
                    $"--Silo:GatewayPort={FreePort.Next()}", .. more,
                ]);
            Assert.Equal(warns, silo.Printed.Contains($"Silo ports are open on {address} without TLS", StringComparison.Ordinal));
        }
    }

    private static IPAddress? ReachableAddress() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(one => one.OperationalStatus is OperationalStatus.Up)
        .SelectMany(one => one.GetIPProperties().UnicastAddresses)
        .Select(one => one.Address)
        .FirstOrDefault(address => address.AddressFamily is AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));

    /// <summary>Whether the silo sends its address, which it does to peers that it admits. Others are cut off.</summary>
    private static async Task<bool> IsLetIn(IPEndPoint silo, Func<Stream, Task<Stream>> secure)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(silo);
        try
        {
            var stream = await secure(client.GetStream());
            await stream.WriteAsync("anything at all, as long as it is long enough"u8.ToArray());
            var first = new byte[1];
            return await stream.ReadAsync(first) > 0 && first[0] != TlsAlert;
        }
        catch (Exception refused) when (refused is IOException or AuthenticationException)
        {
            return false;
        }
    }

    private static async Task<Stream> Secured(Stream stream, X509CertificateCollection certificates)
    {
        var secured = new SslStream(stream);
        await secured.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "silo",
            ClientCertificates = certificates,
            RemoteCertificateValidationCallback = (_, server, _, _) => server is not null,
        });
        return secured;
    }
}
