using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Admin;

/// <summary>The whole Admin API. docs/admin.md says what each call means. Access is stated here once.</summary>
internal static class AdminEndpoints
{
    public static void MapAdmin(this IEndpointRouteBuilder app)
    {
        var admin = app.MapGroup("/admin/v1").RequireAuthorization(AdminAccess.Policy).ExcludeFromDescription();
        admin.MapGet("/status", ClusterEndpoints.Status);
        admin.MapGet("/silos", ClusterEndpoints.Silos);
        admin.MapPost("/silos/{name}/drain", ClusterEndpoints.Drain);
        admin.MapDelete("/silos/{name}/drain", ClusterEndpoints.Resume);
        admin.MapGet("/events", EventStream.Send);
        admin.MapImports();

        // The ids in the path are HiddenIds.
        var user = admin.MapGroup("/users/{user}");
        user.MapGet("", UserEndpoints.Inspect);
        user.MapGet("/export", UserEndpoints.Export);
        user.MapGet("/history", UserEndpoints.History);
        user.MapPost("/history/{type}/{entityId}/{version}/restore", UserEndpoints.RestoreVersion);
        user.MapPost("/rewind", UserEndpoints.Rewind);
        user.MapPost("/resync", UserEndpoints.Resync);
        user.MapPost("/disconnect", UserEndpoints.Disconnect);
        user.MapPost("/sign-out", UserEndpoints.SignOut);
        user.MapPost("/erase", UserEndpoints.Erase);
        user.MapDelete("/devices/{device}", UserEndpoints.Revoke);

        // Counts from now on, not from the first look on.
        app.ServiceProvider.GetRequiredService<IProcessControl>();
        app.MapAdminPage();
        app.MapPrometheusScrapingEndpoint(OperatorPages.Metrics).RequireAuthorization(AdminAccess.Policy);
        OperatorPages.MapRest(app);
    }

    /// <summary>What a silo tells of its process, and what operators ask.</summary>
    public static void Configure(IServiceCollection services, bool hasOperators)
    {
        services.AddSingleton<IProcessControl, ThisProcess>();
        if (!hasOperators) return;
        services.AddSingleton<RecentFigures>();
        services.AddSingleton<Cluster>();
        services.AddSingleton<EventWatchers>();
        services.AddHostedService<GatewayReports>();
    }
}
