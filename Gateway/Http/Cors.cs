using Microsoft.AspNetCore.Cors.Infrastructure;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Http;

/// <summary>docs/protocol.md, Identity: who may call from a browser, with what, and what their scripts may read.</summary>
internal static class Cors
{
    public static readonly string[] Methods = ["GET", "POST", "PUT", "DELETE"];

    public static readonly string[] RequestHeaders =
    [
        "Authorization", "Content-Type", "Content-Encoding", CommonHeaders.Device, CommonHeaders.Key, CommonHeaders.StandardKey,
        "If-None-Match", "Prefer", CommonHeaders.Confirm, CommonHeaders.Schema, CommonHeaders.Merge, CommonHeaders.UnsentAge, "traceparent",
    ];

    public static readonly string[] ExposedHeaders = ["ETag", CommonHeaders.Replay, "Retry-After", CommonHeaders.Schema];

    public static void Configure(IServiceCollection services, AllowedOrigins origins) =>
        services.AddCors(cors => cors.AddDefaultPolicy(policy => Allow(policy, origins)));

    private static void Allow(CorsPolicyBuilder policy, AllowedOrigins origins) => policy
        .SetIsOriginAllowed(origins.Allows)
        .AllowCredentials()
        .WithMethods(Methods)
        .WithHeaders(RequestHeaders)
        .WithExposedHeaders(ExposedHeaders)
        .SetPreflightMaxAge(TimeSpan.FromDays(1));
}
