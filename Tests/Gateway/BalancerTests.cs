using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Mirubato.Bench;
using Mirubato.Tests.Docs;
using Mirubato.Tests.Faults;

namespace Mirubato.Tests.Gateway;

/// <summary>The balancer's configuration, run by HAProxy before a real gateway.</summary>
public sealed class BalancerTests
{
    private const int SourceMax = 20;

    [NeedsHaproxyFact]
    public async Task Forwarded_headers_of_a_client_are_dropped()
    {
        await using var edge = await Edge.Start("--TrustedProxies=127.0.0.1", "--Limits:RefusedTokensPerMinute=1");
        await using var balancer = await Balancer.Start(edge.Url);
        var statuses = new List<HttpStatusCode>();
        for (var i = 1; i <= 3; i++)
        {
            using var request = Edge.Request(HttpMethod.Get, $"{balancer.Url}/api/sync/status", token: "bad");
            request.Headers.Add("X-Forwarded-For", $"203.0.113.{i}");
            request.Headers.Add("Forwarded", $"for=203.0.113.{i}");
            using var answer = await edge.Client.SendAsync(request);
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], statuses);
    }

    [NeedsHaproxyFact]
    public async Task One_source_has_so_many_connections_and_not_one_more_and_another_source_gets_in()
    {
        await using var edge = await Edge.Start();
        await using var balancer = await Balancer.Start(edge.Url);
        var open = new List<TcpClient>();
        try
        {
            for (var i = 1; i <= SourceMax; i++) Assert.True(await GetsIn("127.0.0.2", balancer, open), $"Connection {i} was refused.");
            Assert.False(await GetsIn("127.0.0.2", balancer, open));
            Assert.True(await GetsIn("127.0.0.3", balancer, open));
        }
        finally
        {
            foreach (var one in open) one.Dispose();
        }
    }

    private static async Task<bool> GetsIn(string source, Balancer balancer, List<TcpClient> open)
    {
        var client = new TcpClient(new IPEndPoint(IPAddress.Parse(source), 0));
        open.Add(client);
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, balancer.Port);
            var stream = client.GetStream();
            await stream.WriteAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
            var answer = new byte[12];
            await stream.ReadExactlyAsync(answer);
            return Encoding.ASCII.GetString(answer) == "HTTP/1.1 200";
        }
        catch (Exception refused) when (refused is IOException or SocketException)
        {
            return false;
        }
    }

    private sealed class Balancer : IAsyncDisposable
    {
        private readonly string file = Path.GetTempFileName();
        private readonly Process process;

        private Balancer(string gateway)
        {
            File.WriteAllText(file, Configuration(new Uri(gateway).Authority));
            var path = File.Exists("/usr/sbin/haproxy") ? "/usr/sbin/haproxy" : "haproxy";
            process = Process.Start(
                new ProcessStartInfo(path, ["-db", "-f", file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public int Port { get; } = FreePort.Next();

        public string Url => $"http://127.0.0.1:{Port}";

        public static async Task<Balancer> Start(string gateway)
        {
            var balancer = new Balancer(gateway);
            if (await Patiently.Until(balancer.Listens, TimeSpan.FromSeconds(30))) return balancer;
            await balancer.DisposeAsync();
            throw new InvalidOperationException("HAProxy does not listen.");
        }

        public async ValueTask DisposeAsync()
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            File.Delete(file);
        }

        private bool Listens()
        {
            try
            {
                using var client = new TcpClient("127.0.0.1", Port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }

        /// <summary>As deploy/cluster/run does, the addresses of this machine put in; and a bound that a test can reach.</summary>
        private string Configuration(string gateway)
        {
            var shipped = SourceTree.Read("deploy/haproxy.cfg");
            Assert.Contains("reject if { sc0_conn_cur gt 2000 }", shipped, StringComparison.Ordinal);
            var here = Regex.Replace(shipped, "^resolvers.*?(?=^frontend)", "", RegexOptions.Multiline | RegexOptions.Singleline);
            here = Regex.Replace(here, "^( *)server-template.*$", $"$1server silo-1 {gateway}", RegexOptions.Multiline);
            here = Regex.Replace(here, "^( *)bind .*$", $"$1bind 127.0.0.1:{Port}", RegexOptions.Multiline);
            here = Regex.Replace(here, "^( *)maxconn .*$", "$1maxconn 400", RegexOptions.Multiline);
            return here.Replace("gt 2000", $"gt {SourceMax}", StringComparison.Ordinal);
        }
    }
}
