using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli.Doctor;

/// <summary>The server as clients reach it: certificate, readiness, version, clock, and what a proxy does to bodies.</summary>
internal static class HttpChecks
{
    private const int CertificateDaysAmber = 14;
    private const double SkewAmber = 5;

    /// <summary>What proxies must let through; docs/operations.md, Install and run.</summary>
    private const int BodyBytes = 512 * 1024;

    public static async Task<IReadOnlyList<Finding>> Run(Installation installation, Uri url)
    {
        var findings = new List<Finding>();
        Finding? certificate = null;
        using var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), UseCookies = false };
#pragma warning disable CA5359 // A bad certificate is a finding, and no reason to look no further: nothing secret is sent here.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, errors) =>
        {
            certificate = JudgeCertificate(installation, shown as X509Certificate2, errors);
            return true;
        };
#pragma warning restore CA5359
        using var client = new HttpClient(handler) { BaseAddress = url, Timeout = TimeSpan.FromSeconds(15) };
        try
        {
            findings.AddRange(await Health(installation, client));
            findings.Add(await Bodies(client));
        }
        catch (Exception away) when (away is HttpRequestException or TaskCanceledException)
        {
            findings.Add(Finding.Bad(
                "url", $"{url} does not answer: {away.Message}",
                "Start the server, and check the name, the proxy in front of it and the firewall."));
        }

        return certificate is null ? findings : [certificate, .. findings];
    }

    private static Finding JudgeCertificate(Installation installation, X509Certificate2? shown, SslPolicyErrors errors)
    {
        const string check = "certificate";
        const string remedy = "Renew it where TLS ends (the proxy, or Kestrel:Endpoints), with the whole chain and the public name in it.";
        if (shown is null) return Finding.Bad(check, "No certificate was shown.", remedy);
        var left = shown.NotAfter.ToUniversalTime() - installation.Time.GetUtcNow().UtcDateTime;
        var until = shown.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (left <= TimeSpan.Zero) return Finding.Bad(check, $"The certificate of {shown.Subject} has expired ({until}).", remedy);
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return Finding.Bad(check, $"The certificate of {shown.Subject} is for another name.", remedy);
        if (errors is not SslPolicyErrors.None)
            return Finding.Bad(check, $"The certificate of {shown.Subject} is not trusted on this machine.", remedy);
        return left.TotalDays < CertificateDaysAmber
            ? Finding.Warn(check, $"The certificate expires in {left.TotalDays:0} days ({until}).", remedy)
            : Finding.Good(check, $"The certificate is good until {until}.");
    }

    private static async Task<IEnumerable<Finding>> Health(Installation installation, HttpClient client)
    {
        using var answer = await client.GetAsync("health/ready");
        if (!answer.Headers.Contains(ServerHeaders.Schema))
            return [Finding.Bad(
                "url", $"What answers is not this server ({(int)answer.StatusCode} without {ServerHeaders.Schema}).",
                "Let the proxy pass /api, /sync, /health and /admin on to the server.")];
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return [Ready(answer, body.RootElement), Version(body.RootElement), Clock(installation, answer)];
    }

    private static Finding Ready(HttpResponseMessage answer, JsonElement body)
    {
        var reason = body.TryGetProperty("reason", out var why) ? why.GetString() : null;
        return answer.IsSuccessStatusCode && reason is null ? Finding.Good("ready", "The server is ready.")
            : answer.IsSuccessStatusCode
                ? Finding.Warn(
                    "ready", $"The server only reads (reason {reason}).", "See the runbook of docs/operations.md for this reason.")
                : Finding.Bad(
                    "ready", $"The server is not ready (reason {reason ?? "unknown"}).",
                    "See the runbook of docs/operations.md for this reason, and the server's log.");
    }

    private static Finding Version(JsonElement body)
    {
        var (theirs, ours) = (body.GetProperty("version").GetString(), Gateway.Rest.HealthEndpoints.Version);
        return theirs == ours
            ? Finding.Good("version", $"Server and mirubato are both {ours}.")
            : Finding.Warn(
                "version", $"The server is {theirs}, this mirubato {ours}.",
                "Use the mirubato of the server's release; while a rolling upgrade is under way, finish it.");
    }

    private static Finding Clock(Installation installation, HttpResponseMessage answer)
    {
        if (answer.Headers.Date is not { } theirs) return Finding.Good("clock", "The server does not tell the time.");
        var skew = (theirs - installation.Time.GetUtcNow()).TotalSeconds;
        return Math.Abs(skew) < SkewAmber
            ? Finding.Good("clock", "The server's clock agrees with this machine's.")
            : Finding.Warn(
                "clock", $"The server's clock is {Math.Abs(skew):0} s {(skew < 0 ? "behind" : "ahead of")} this machine's.",
                "Synchronize the clocks of all machines (NTP: timedatectl set-ntp true).");
    }

    /// <summary>Without a token, so that nothing happens: the server answers 401, and a proxy that minds something else.</summary>
    private static async Task<Finding> Bodies(HttpClient client)
    {
        using var body = new ByteArrayContent(new byte[BodyBytes]);
        using var answer = await client.PostAsync("api/sync/push", body);
        return answer.StatusCode is HttpStatusCode.Unauthorized && answer.Headers.Contains(ServerHeaders.Schema)
            ? Finding.Good("bodies", "A body of 512 KiB passes.")
            : Finding.Bad(
                "bodies", $"A body of 512 KiB does not pass ({(int)answer.StatusCode}).",
                "Raise the proxy's limit (nginx: client_max_body_size 33m).");
    }
}
