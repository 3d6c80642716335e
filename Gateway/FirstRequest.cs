using System.Diagnostics.Metrics;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;
using Mirubato.Gateway.Rest;

namespace Mirubato.Gateway;

/// <summary>
/// What a process does once for nobody while it starts. The first push of a process takes 0.4 s, because the code of its path is
/// loaded and compiled by it; with these it takes 0.17 s, and most cores have little to do meanwhile.
/// </summary>
internal static class FirstRequest
{
    /// <summary>So long a process that ends waits for it, so that it leaves no file behind.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(1);
    private static readonly byte[] CutOff = """{"changes":{"entries":[{"id":"first-request"}]"""u8.ToArray();

    /// <summary>
    /// Starts one request through the pipeline, and waits for the <see cref="FirstUse"/> of what stands behind it. A failure is logged, and
    /// only costs the time that would have been saved. A process that ends meanwhile does not need it any more, and says nothing.
    /// </summary>
    public static Task Start(WebApplication app)
    {
        // Before the host makes its own: it completes the same list of middleware.
        var pipeline = ((IApplicationBuilder)app).Build();
        var stopping = app.Lifetime.ApplicationStopping;
        return Task.Run(() => Run(app, pipeline, stopping));
    }

    private static async Task Run(WebApplication app, RequestDelegate pipeline, CancellationToken stopping)
    {
        try
        {
            await Task.WhenAll([.. app.Services.GetServices<FirstUse>().Select(use => use.Done), Send(app, pipeline)]);
        }
        catch (Exception failure)
        {
            if (!stopping.IsCancellationRequested) Log.FirstUseFailed(app.Logger, failure);
        }
    }

    /// <summary>
    /// A push that ends before its coordinator is called, because its body is cut off. Where there are no pushes, or no secret to sign a
    /// token with, it asks whether the process lives.
    /// </summary>
    private static async Task Send(WebApplication app, RequestDelegate pipeline)
    {
        var auth = app.Services.GetRequiredService<GatewayOptions>().Auth;
        var takesPushes = auth.Secret is not null && app.Services.GetService<HostEndpoints>() is not { ServesClients: false };
        await using var scope = app.Services.CreateAsyncScope();
        using var services = new Uncounted(scope.ServiceProvider);
        var http = new DefaultHttpContext { RequestServices = services };
        var expected = takesPushes ? Push(http.Request, auth, app.Services) : AskForLife(http.Request);
        await pipeline(http);
        if (http.Response.StatusCode != expected)
            throw new InvalidOperationException($"The first request was answered {http.Response.StatusCode}.");
    }

    private static int AskForLife(HttpRequest request)
    {
        (request.Method, request.Path) = (HttpMethods.Get, HealthEndpoints.LivePath);
        return StatusCodes.Status200OK;
    }

    private static int Push(HttpRequest request, AuthOptions auth, IServiceProvider services)
    {
        var now = services.GetRequiredKeyedService<TimeProvider>(ServerClock.Key).GetUtcNow();
        (request.Method, request.Path) = (HttpMethods.Post, SyncEndpoints.PushPath);
        request.Headers.Authorization = $"Bearer {SampleToken.For("first-request", auth, now, TokenLife)}";
        request.Headers[CommonHeaders.Device] = "first-request";
        request.ContentType = ContentTypes.Json;
        request.Body = new MemoryStream(CutOff);
        request.ContentLength = CutOff.Length;
        return StatusCodes.Status400BadRequest;
    }

    /// <summary>The same services, with figures that nobody reads: operators must not wonder about a request that nobody sent.</summary>
    private sealed class Uncounted(IServiceProvider services) : IKeyedServiceProvider, IMeterFactory
    {
        private readonly Meter meter = new("Mirubato.Uncounted");
        private GatewayMetrics? metrics;

        public object? GetService(Type serviceType) => serviceType == typeof(GatewayMetrics)
            ? metrics ??= new GatewayMetrics(this, services.GetRequiredService<BodyBudget>())
            : services.GetService(serviceType);

        public object? GetKeyedService(Type serviceType, object? serviceKey) => services.GetKeyedService(serviceType, serviceKey);

        public object GetRequiredKeyedService(Type serviceType, object? serviceKey) =>
            services.GetRequiredKeyedService(serviceType, serviceKey);

        public Meter Create(MeterOptions options) => meter;

        public void Dispose() => meter.Dispose();
    }
}
