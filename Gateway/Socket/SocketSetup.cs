using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Socket;

internal static class SocketSetup
{
    public static void Configure(IServiceCollection services)
    {
        services.AddSingleton<Auth.TokenCheck>();
        services.AddSingleton<UserGrains>();
        services.AddSingleton<Coordinators>();
        services.AddSingleton<SocketContext>();
        services.AddSingleton<UserSocketsRegistry>();
        services.AddSingleton<IGatewayObserver>(provider => provider.GetRequiredService<UserSocketsRegistry>());
        services.AddSingleton<RosterReports>();
        services.AddSingleton<SocketTickets>();
        services.AddSingleton(provider => provider.GetRequiredService<GatewayOptions>().Origins);
        services.AddSingleton<Admission>();
        services.AddSingleton(PingTimes.Default);
        services.AddSingleton<SocketEndpoint>();
    }

    public static void Use(WebApplication app)
    {
        app.MapWhen(http => http.Request.Path == SocketEndpoint.Path, branch =>
        {
            branch.UseWebSockets();
            // Not before the first upgrade: the endpoint needs Orleans, which takes a fifth of a start to construct. Not from the request's
            // own services: a socket that keeps its request would keep them too.
            var services = branch.ApplicationServices;
            branch.Run(http => services.GetRequiredService<SocketEndpoint>().Serve(http));
        });
        var registry = app.Services.GetRequiredService<UserSocketsRegistry>();
        app.Services.GetRequiredService<GatewayMetrics>().Observe(registry);
        app.Lifetime.ApplicationStopping.Register(() => _ = registry.Drain(app.Lifetime.ApplicationStopped));
    }
}
