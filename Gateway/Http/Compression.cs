using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;

namespace Mirubato.Gateway.Http;

/// <summary>Compresses answers for clients that accept it, but not tiny ones, which would get slower and hardly smaller.</summary>
internal sealed class Compression(IServiceProvider services, IOptions<ResponseCompressionOptions> options)
    : ResponseCompressionProvider(services, options)
{
    public const int BytesMin = 1024;

    public override bool ShouldCompressResponse(HttpContext context) =>
        !(context.Response.ContentLength < BytesMin) && base.ShouldCompressResponse(context);

    public static void Configure(IServiceCollection services)
    {
        services.AddResponseCompression(options =>
        {
            // No answer mixes a secret with text of an attacker's choice, so compressing under TLS gives nothing away.
            options.EnableForHttps = true;
            options.MimeTypes =
            [
                "application/json", "application/problem+json", "application/x-ndjson", "text/html", "text/css", "text/javascript",
            ];
            options.Providers.Add<BrotliCompressionProvider>();
            options.Providers.Add<GzipCompressionProvider>();
        });
        services.Configure<BrotliCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
        services.Configure<GzipCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
        services.AddSingleton<IResponseCompressionProvider, Compression>();
    }
}
