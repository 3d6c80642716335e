using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Mirubato.Gateway.Admin;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Demo;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Options;
using Mirubato.Gateway.Rest;
using Mirubato.Gateway.WebApp;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway;

/// <summary>
/// Composes the server. What runs behind it is the caller's: it registers an <see cref="IUserReader"/>, an <see cref="IReadiness"/> and
/// Orleans.
/// </summary>
public static class GatewayHost
{
    public const string DefaultUrl = "http://localhost:8787";

    /// <summary>
    /// Settings are read once. The framework would watch the working directory and all below it, and be told of each write to a SQLite file
    /// there.
    /// </summary>
    private const string NoReload = "--hostBuilder:reloadConfigOnChange=false";

    private static readonly KeyValuePair<string, string?>[] Defaults =
    [
        new("Logging:LogLevel:Default", "Information"),
        new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),

        // In a cluster: Orleans names grains in what it logs, and those are users. Its member list names none, and is what operators look
        // for.
        new("Logging:LogLevel:Orleans", "None"),
        new("Logging:LogLevel:Orleans.Runtime.MembershipService", "Information"),
    ];

    private static readonly KeyValuePair<string, string?>[] JsonLogs =
    [
        new("Logging:Console:FormatterName", "json"),
        new("Logging:Console:FormatterOptions:IncludeScopes", "true"),
        new("Logging:Console:FormatterOptions:UseUtcTimestamp", "true"),
        new("Logging:Console:FormatterOptions:TimestampFormat", "yyyy-MM-ddTHH:mm:ss.fffZ"),
    ];

    /// <summary>
    /// Builds, says what is wrong with the settings if anything is, and runs until it is told to stop. Answers the exit code.
    /// </summary>
    /// <param name="check">What is wrong with the settings of the caller's own, to be said together with the rest.</param>
    /// <param name="onStarted">Called once all of it has started.</param>
    /// <param name="onFailed">Called if a part of it did not start.</param>
    public static Task<int> Run(
        string[] args, Action<WebApplicationBuilder> configure, Func<IConfiguration, IReadOnlyList<string>>? check = null,
        Action? onStarted = null, Func<WebApplication, Task>? onFailed = null) => Guarded(async () =>
    {
        using var deadline = new StopDeadline();
        await using var app = Create(args, configure, check);
        Construct(app);
        Complete(app);
        deadline.Watch(app);
        var firstRequest = FirstRequest.Start(app);
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            onStarted?.Invoke();
            StartupBanner.Print(app);
        });
        try
        {
            await Start(app, onFailed);
            await app.WaitForShutdownAsync();
        }
        finally
        {
            await Task.WhenAny(firstRequest, Task.Delay(FirstRequest.Patience));
        }
    });

    /// <summary>
    /// Opens the store, and then constructs beside this thread what the host is about to start: of that Orleans alone takes a fifth of a
    /// start, and nothing of it needs the endpoints that are mapped meanwhile. A store that another process has ends the start here, before
    /// anything goes on beside it that would fail too; another failure is met again by the host.
    /// </summary>
    private static void Construct(WebApplication app)
    {
        _ = app.Services.GetRequiredService<IReadiness>();
        Task.Run(() => app.Services.GetServices<IHostedService>());
    }

    private static async Task Start(WebApplication app, Func<WebApplication, Task>? onFailed)
    {
        try
        {
            await app.StartAsync();
        }
        catch
        {
            if (onFailed is not null) await onFailed(app);
            throw;
        }
    }

    /// <summary>Does one thing to the configured store instead of serving, and says how much it did.</summary>
    public static Task<int> Administer(
        string[] args, Action<WebApplicationBuilder> configure, Func<IServiceProvider, CancellationToken, Task<long>> act,
        string done) => Guarded(async () =>
    {
        await using var app = Build(args, configure);
        await Console.Out.WriteLineAsync($"{await act(app.Services, CancellationToken.None)} {done}");
    });

    private static async Task<int> Guarded(Func<Task> work)
    {
        try
        {
            await work();
            return 0;
        }
        catch (Exception wrong) when (wrong is InvalidOptionsException or StoreUnavailableException)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 1;
        }
        // Told to stop before it was up.
        catch (OperationCanceledException)
        {
            return 0;
        }
        // Somebody's second ./run: what there is to do says more than where it was noticed.
        catch (InvalidOperationException taken) when (taken.InnerException is IOException)
        {
            await Console.Error.WriteLineAsync(taken.Message);
            return 1;
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"{taken.Message} Stop what listens there, or listen elsewhere: ./run --Urls http://localhost:9000");
            return 1;
        }
    }

    /// <summary>The server, ready to start. Throws with every wrong setting at once.</summary>
    public static WebApplication Build(
        string[] args, Action<WebApplicationBuilder>? configure = null, Func<IConfiguration, IReadOnlyList<string>>? check = null) =>
        Complete(Create(args, configure, check));

    /// <summary>All but what requests meet.</summary>
    private static WebApplication Create(
        string[] args, Action<WebApplicationBuilder>? configure, Func<IConfiguration, IReadOnlyList<string>>? check)
    {
        // Slim leaves out what this server has no use for: host filtering, IIS, static assets, event logs.
        var builder = WebApplication.CreateSlimBuilder([NoReload, .. args]);
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Defaults });
        var options = OptionsParser.Read(builder.Configuration, builder.Environment, check?.Invoke(builder.Configuration) ?? []);
        builder.Services.AddSingleton(options);
        builder.Services.AddKeyedSingleton(ServerClock.Key, TimeProvider.System);
        Listen(builder, options.Limits, options.Admin.Port);
        Services(builder.Services, options);
        Telemetry.Configure(builder.Services, builder.Configuration, options.Admin.IsOn);
        Logs(builder);
        configure?.Invoke(builder);
        return builder.Build();
    }

    private static WebApplication Complete(WebApplication app)
    {
        var options = app.Services.GetRequiredService<GatewayOptions>();
        if (options.Auth.Generated) Log.DevelopmentSecret(app.Logger, options.Storage.DataDirectory);
        var endpoints = app.Services.GetService<HostEndpoints>() ?? new HostEndpoints();
        Pipeline(app, endpoints);
        Map(app, endpoints);
        app.UseEndpoints(static _ => { });
        return app;
    }

    /// <summary>One JSON object a line for whoever collects logs; a person at a console reads text. Each line names its trace.</summary>
    private static void Logs(WebApplicationBuilder builder)
    {
        builder.Logging.Configure(
            factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        if (!builder.Environment.IsDevelopment())
        {
            builder.Configuration.Sources.Insert(1, new MemoryConfigurationSource { InitialData = JsonLogs });
        }

        // A slim host chooses text by code, which no setting would change.
        var form = builder.Configuration["Logging:Console:FormatterName"] ?? ConsoleFormatterNames.Simple;
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName = form);
    }

    private static void Map(WebApplication app, HostEndpoints endpoints)
    {
        app.MapHealth();
        if (app.Services.GetRequiredService<GatewayOptions>().Admin.IsOn) app.MapAdmin();
        endpoints.More?.Invoke(app);
        if (!endpoints.ServesClients) return;
        app.MapSync();
        app.MapWebApp();
        app.MapHome();
        app.MapDemo();
        app.MapOpenApiDocument();
    }

    internal static GatewayOptions Options(this WebApplicationBuilder builder) =>
        (GatewayOptions)builder.Services.Single(service => service.ServiceType == typeof(GatewayOptions)).ImplementationInstance!;

    private static void Listen(WebApplicationBuilder builder, LimitOptions limits, int? adminPort)
    {
        var configuration = builder.Configuration;
        var chosen = ((string[])["urls", "http_ports", "https_ports"]).Any(name => !string.IsNullOrEmpty(configuration[name]))
            || configuration.GetSection("Kestrel:Endpoints").Exists();
        if (!chosen) builder.WebHost.UseUrls(DefaultUrl);
        if (adminPort is { } port && !configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            builder.WebHost.UseUrls(WithPort(configuration, port));
        }
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(Socket.DetachedConnection.Use);
            kestrel.Limits.MaxRequestBodySize = Limits.BodyBytesMax + (1024 * 1024);
            kestrel.Limits.MaxRequestLineSize = 16 * 1024;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);
            kestrel.Limits.MaxConcurrentConnections = limits.Connections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = limits.Connections;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(limits.ShutdownSeconds));
    }

    /// <summary>
    /// Where to listen, and the port for operators beside the first of them. Kestrel's own endpoints are the operator's to complete.
    /// </summary>
    private static string[] WithPort(ConfigurationManager configuration, int port)
    {
        var urls = List("urls").ToList();
        if (urls.Count == 0)
        {
            urls = [.. List("http_ports").Select(one => $"http://*:{one}"), .. List("https_ports").Select(one => $"https://*:{one}")];
        }
        if (urls.Any(url => BindingAddress.Parse(url).Port == port))
            throw new InvalidOptionsException(
                [$"Admin:Port is {port}, and so is a port of Urls: set one of its own, or leave it out to have the pages for operators "
                    + $"where everything is."]);
        var first = BindingAddress.Parse(urls[0]);
        return [.. urls, $"{first.Scheme}://{first.Host}:{port}"];

        string[] List(string name) =>
            configuration[name]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
    }

    private static void Services(IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton<IHttpContextFactory, QueryRedaction>();
        services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>, QuietLogs>();
        services.AddSingleton<BodyBudget>();
        services.AddSingleton<RequestBodies>();
        services.AddSingleton<UserConcurrency>();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<Readiness>();
        services.AddSingleton(new DemoTokens(options.Demo.TokensPerMinute));
        Socket.SocketSetup.Configure(services);
        services.AddSingleton<IAnswerFormat, WireAnswers>();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, WireJson.Default));
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(1, WebAppJson.Default));
        BearerTokens.Configure(services, options.Auth, TimeProvider.System);
        AdminAccess.Configure(services);
        LeaveOutCookieKeys(services);
        services.AddSingleton(UploadedFiles.From(options));
        AdminEndpoints.Configure(services, options.Admin.IsOn);
        services.AddSingleton<WebApp.Logbooks>();
        Cors.Configure(services, options.Origins);
        RateLimits.Configure(services, options.Limits);
        Compression.Configure(services);
        OpenApiDocuments.Configure(services);
        services.Configure<ForwardedHeadersOptions>(forwarded => Trust(forwarded, options));
    }

    /// <summary>
    /// Signing in by cookies has keys in the home directory, which the framework reads or makes at each start. There are no cookies here.
    /// </summary>
    private static void LeaveOutCookieKeys(IServiceCollection services)
    {
        var cookieKeys = typeof(DataProtectionOptions).Assembly;
        foreach (var service in services.Where(one => one.ServiceType == typeof(IHostedService)).ToList())
        {
            if (service.ImplementationType?.Assembly == cookieKeys) services.Remove(service);
        }
    }

    private static void Trust(ForwardedHeadersOptions forwarded, GatewayOptions options)
    {
        forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
        forwarded.ForwardLimit = null;
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in options.TrustedProxies) forwarded.KnownIPNetworks.Add(network);
    }

    /// <summary>Where GET is, HEAD is: it is served as one, and Kestrel, which knows better, leaves the body out.</summary>
    private static Task HeadAsGet(HttpContext http, RequestDelegate next)
    {
        if (HttpMethods.IsHead(http.Request.Method)) http.Request.Method = HttpMethods.Get;
        return next(http);
    }

    // The order matters: problems are written outermost, so that every failure has the one form; origins before all that can refuse,
    // so that a browser may read the refusal, but not of what is for operators; tokens before anything that costs.
    private static void Pipeline(WebApplication app, HostEndpoints endpoints)
    {
        if (app.Services.GetRequiredService<GatewayOptions>().TrustedProxies.Count > 0) app.UseForwardedHeaders();
        app.Use(HeadAsGet);
        app.UseMiddleware<ProblemAnswers>();
        app.UseMiddleware<OperatorPages>();
        if (endpoints.ServesClients) Socket.SocketSetup.Use(app);
        app.UseWhen(http => !OperatorPages.IsOne(http), clients => clients.UseCors());
        app.UseResponseCompression();
        app.UseRouting();
        Telemetry.NameSpans(app);
        SignIn.Use(app);
        app.Use(RateLimits.Apply);
    }
}
