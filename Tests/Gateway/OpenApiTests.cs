using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Mirubato.Tests.Gateway;

public sealed class OpenApiTests
{
    /// <summary>The surface as docs/protocol.md has it.</summary>
    public static readonly (string Method, string Path)[] HostEndpoints =
    [
        ("POST", "/api/sync/pull"), ("GET", "/api/sync/pull"), ("POST", "/api/sync/push"), (
            "POST", "/api/sync/batch"), ("GET", "/api/sync/status"),
        ("GET", "/api/sync/conflicts"), ("POST", "/api/sync/conflicts/{id}/restore"), ("DELETE", "/api/sync/conflicts/{id}"),
        ("GET", "/api/sync/devices"), ("DELETE", "/api/sync/devices/{id}"), ("POST", "/api/sync/devices/{id}/allow"),
        ("GET", "/api/sync/export"), ("POST", "/api/sync/import"), ("DELETE", "/api/sync/data"), (
            "POST", "/api/sync/sign-out-everywhere"), ("POST", "/api/sync/ticket"),
        ("GET", "/api/user/me"), ("GET", "/api/user/preferences"), ("PUT", "/api/user/preferences"),
        ("GET", "/api/repertoire"), ("POST", "/api/repertoire"), ("PUT", "/api/repertoire/{scoreId}"), (
            "DELETE", "/api/repertoire/{scoreId}"),
        ("DELETE", "/api/repertoire/{scoreId}/dissociate"), ("GET", "/api/repertoire/{scoreId}/stats"),
        ("GET", "/api/goals"), ("POST", "/api/goals"), ("GET", "/api/goals/{id}"), ("PUT", "/api/goals/{id}"), (
            "DELETE", "/api/goals/{id}"), (
            "POST", "/api/goals/{id}/progress"),
        ("PUT", "/api/pieces/update-name"), ("POST", "/api/templates/adopt"), (
            "GET", "/api/autocomplete/composers"), ("GET", "/api/autocomplete/pieces"),
    ];

    [Fact]
    public async Task The_document_describes_every_route_with_shapes_errors_headers_and_security()
    {
        await using var edge = await Edge.Start();
        var document = await (await edge.Client.GetAsync("/openapi/v1.json")).Json();
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            "bearer",
            document.GetProperty("components").GetProperty("securitySchemes").GetProperty("bearer").GetProperty("scheme").GetString());
        var paths = document.GetProperty("paths");
        foreach (var (method, path) in HostEndpoints)
        {
            var operation = paths.GetProperty(path).GetProperty(method.ToLowerInvariant());
            Assert.True(operation.GetProperty("security")[0].TryGetProperty("bearer", out _), path);
            Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
            var responses = operation.GetProperty("responses");
            foreach (var status in (string[])["401", "429", "503"])
            {
                var response = responses.GetProperty(status);
                Assert.True(response.GetProperty("content").TryGetProperty("application/problem+json", out _), $"{path} {status}");
                Assert.True(response.GetProperty("headers").TryGetProperty("X-Sync-Schema", out _));
            }

            Assert.Contains(
                operation.GetProperty("parameters").EnumerateArray(),
                parameter => parameter.GetProperty("name").GetString() == "X-Device-ID");
        }

        var routes = edge.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is null)
            .Select(route => route.RoutePattern.RawText!).Where(path => path is not "/").Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(routes, paths.EnumerateObject().Select(path => path.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_reference_resolves_and_the_shapes_are_those_of_the_wire()
    {
        await using var edge = await Edge.Start();
        var text = await edge.Client.GetStringAsync("/openapi/v1.json");
        var document = JsonDocument.Parse(text).RootElement;
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var reference in References(document))
            Assert.True(schemas.TryGetProperty(reference["#/components/schemas/".Length..], out _), reference);
        Assert.Equal(
            ["entries", "goals", "repertoire", "practicePlans", "planOccurrences", "planTemplates", "preferences"],
            schemas.GetProperty("PushChangesShape").GetProperty("properties").EnumerateObject().Select(member => member.Name));
        Assert.Contains("\"WriteResult\"", text, StringComparison.Ordinal);
        Assert.True(
            document.GetProperty("paths")
                .GetProperty("/api/sync/push")
                .GetProperty("post")
                .GetProperty("requestBody")
                .GetProperty("required")
                .GetBoolean());
        Assert.False(
            document.GetProperty("paths")
                .GetProperty("/api/sync/pull")
                .GetProperty("post")
                .GetProperty("requestBody")
                .TryGetProperty("required", out var required)
                && required.GetBoolean());
        Assert.Equal("/", document.GetProperty("servers")[0].GetProperty("url").GetString());
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(
            member => member.NameEquals("$ref") ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
