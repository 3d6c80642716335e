using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mirubato.Tests.Cli;

/// <summary>A proxy that was not configured for this server: it passes plain requests on, and no upgrade.</summary>
internal sealed class PlainProxy : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly HttpClient client = new();

    private PlainProxy(WebApplication app) => this.app = app;

    public Uri Url => new(app.Urls.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));

    /// <param name="certificateDays">For how many days from now its own certificate counts; null: without TLS.</param>
    public static async Task<PlainProxy> Start(Uri server, long bodyBytesMax = long.MaxValue, int? certificateDays = null)
    {
        var proxy = Create(certificateDays);
        proxy.app.Run(http => proxy.Forward(http, server, bodyBytesMax));
        await proxy.app.StartAsync();
        return proxy;
    }

    /// <summary>One answer to everything.</summary>
    public static async Task<PlainProxy> Page(string body, int status = 200, bool isServer = false)
    {
        var proxy = Create(null);
        proxy.app.Run(async http =>
        {
            http.Response.StatusCode = status;
            if (isServer) http.Response.Headers["X-Sync-Schema"] = "1";
            await http.Response.WriteAsync(body);
        });
        await proxy.app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await app.DisposeAsync();
    }

    private static PlainProxy Create(int? certificateDays)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, at =>
        {
            if (certificateDays is { } days) at.UseHttps(Certificate(days));
        }));
        return new PlainProxy(builder.Build());
    }

    private async Task Forward(HttpContext http, Uri server, long bodyBytesMax)
    {
        if (http.Request.ContentLength > bodyBytesMax)
        {
            http.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }

        using var request = new HttpRequestMessage(
            new HttpMethod(http.Request.Method), new Uri(server, http.Request.Path + http.Request.QueryString));
        if (http.Request.ContentLength > 0) request.Content = new StreamContent(http.Request.Body);
        using var answer = await client.SendAsync(request);
        http.Response.StatusCode = (int)answer.StatusCode;
        foreach (var name in (string[])["X-Sync-Schema", "Date"])
            if (answer.Headers.TryGetValues(name, out var values)) http.Response.Headers[name] = values.First();
        await answer.Content.CopyToAsync(http.Response.Body);
    }

    private static X509Certificate2 Certificate(int days)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var until = DateTimeOffset.UtcNow.AddDays(days);
        using var made = request.CreateSelfSigned(until.AddYears(-1), until);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}
