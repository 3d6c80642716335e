using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// The description at /openapi/v1.json. It is made from the endpoints and the wire records themselves, once, and kept: it is public, and
/// making it costs far more than sending it.
/// </summary>
internal static class OpenApiDocuments
{
    private const string Document = "v1";
    private const string Bearer = "bearer";

    public static void Configure(IServiceCollection services)
    {
        services.AddOpenApi(Document, options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddDocumentTransformer(DescribeDocument);
            options.AddOperationTransformer(DescribeOperation);
            options.AddSchemaTransformer(DescribeSchema);
        });
        services.AddSingleton<Cached>();
    }

    public static void MapOpenApiDocument(this IEndpointRouteBuilder app) => app.MapGet("/openapi/v1.json", Get).ExcludeFromDescription();

    private static async Task Get(HttpContext http, Cached cached) =>
        await http.Answer(StatusCodes.Status200OK, await cached.Bytes.Value, ContentTypes.Json);

    private static Task DescribeDocument(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Mirubato Sync",
            Version = HealthEndpoints.Version,
            Description =
                "Synchronization for offline-first apps on many devices. docs/protocol.md tells what each call means and promises.",
        };
        // Where it is served is for the reader to know; what was asked first by whichever Host must not be kept.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes[Bearer] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "A JWT with sub and exp, signed with the shared secret (HS256) or by the configured authority (RS256, ES256).",
        };
        return Task.CompletedTask;
    }

    private static Task DescribeOperation(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.OperationId = OperationId(context.Description.HttpMethod, context.Description.RelativePath);
        operation.Parameters ??= [];
        foreach (var parameter in metadata.OfType<TakesMetadata>().SelectMany(takes => takes.Parameters))
        {
            operation.Parameters.Add(Describe(parameter));
        }
        operation.RequestBody?.Content?.Remove(Rest.Describe.AnyType);
        if (metadata.OfType<OptionalBodyMetadata>().Any() && operation.RequestBody is OpenApiRequestBody body) body.Required = false;
        if (metadata.OfType<IAuthorizeData>().Any())
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (response is OpenApiResponse known) DescribeHeaders(status, known, metadata.OfType<AnswerHeaderMetadata>());
        }

        return Task.CompletedTask;
    }

    private static void DescribeHeaders(string status, OpenApiResponse response, IEnumerable<AnswerHeaderMetadata> special)
    {
        response.Headers ??= new Dictionary<string, IOpenApiHeader>();
        response.Headers[CommonHeaders.Schema] = Text("The protocol version of the server.", JsonSchemaType.Integer);
        if (status is "429" or "503") response.Headers["Retry-After"] = Text("Seconds to wait.", JsonSchemaType.Integer);
        if (status is "401") response.Headers["WWW-Authenticate"] = Text("Bearer", JsonSchemaType.String);
        foreach (var header in special.Where(header => $"{header.Status}" == status))
        {
            response.Headers[header.Name] = Text(header.Description, JsonSchemaType.String);
        }
    }

    private static OpenApiHeader Text(string description, JsonSchemaType type) =>
        new() { Description = description, Schema = new OpenApiSchema { Type = type } };

    private static OpenApiParameter Describe(Parameter parameter)
    {
        var one = new OpenApiSchema { Type = parameter.Number ? JsonSchemaType.Integer : JsonSchemaType.String };
        return new OpenApiParameter
        {
            Name = parameter.Name,
            In = parameter.InQuery ? ParameterLocation.Query : ParameterLocation.Header,
            Description = parameter.Description,
            Required = parameter.Required,
            Schema = parameter.Several ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = one } : one,
        };
    }

    /// <summary>Documents are the application's own: any object.</summary>
    private static Task DescribeSchema(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancel)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type != typeof(JsonBytes)) return Task.CompletedTask;
        schema.Type = JsonSchemaType.Object;
        schema.AdditionalPropertiesAllowed = true;
        return Task.CompletedTask;
    }

    private static string OperationId(string? method, string? path) =>
        string.Concat(
            (path ?? "")
                .Split('/', '-', '{', '}')
                .Where(part => part is not ("" or "api"))
                .Prepend((method ?? "").ToLowerInvariant())
                .Select((part, i) => i == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..]));

    internal sealed class Cached([FromKeyedServices(Document)] IOpenApiDocumentProvider provider)
    {
        public Lazy<Task<byte[]>> Bytes { get; } = new(async () =>
        {
            var document = await provider.GetOpenApiDocumentAsync();
            using var stream = new MemoryStream();
            await document.SerializeAsJsonAsync(stream, OpenApiSpecVersion.OpenApi3_1);
            return stream.ToArray();
        });
    }
}
