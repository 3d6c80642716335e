using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>A header or query parameter, as /openapi/v1.json describes it.</summary>
internal sealed record Parameter(
    string Name, bool InQuery, string Description, bool Required = false, bool Number = false, bool Several = false);

internal static class Header
{
    public static readonly Parameter Device = new("X-Device-ID", false, "The device's own name for itself; absent: an unknown device.");
    public static readonly Parameter Schema = new(
        "X-Sync-Schema", false, "The protocol version the client speaks; another than the server's is answered 409.", Number: true);
    public static readonly Parameter Key = new(
        "X-Idempotency-Key", false, "Binds the answer to the body for 24 hours: a repetition gets the first answer again.");
    public static readonly Parameter StandardKey = new("Idempotency-Key", false, "The same, by its standard name.");
    public static readonly Parameter Prefer = new(
        "Prefer", false, "handling=strict: any conflict or refusal applies nothing and answers 409.");
    public static readonly Parameter IfNoneMatch = new("If-None-Match", false, "The ETag of an earlier answer: 304 when nothing changed.");
    public static readonly Parameter Merge = new(
        "X-Sync-Merge", false, "1: the client takes over merged documents, so its edits of older versions are merged by members.");
    public static readonly Parameter Confirm = new("Confirm", false, "Must be 'erase'.", Required: true);
}

internal static class Query
{
    public static readonly Parameter Since = new("since", true, "A syncToken: only what changed after it.");
    public static readonly Parameter Types = new("types", true, "Only these entity types; repeated, or with commas.", Several: true);
    public static readonly Parameter PullLimit = new("limit", true, "At most so many rows, 1 to 10,000.", Number: true);
    public static readonly Parameter After = new("after", true, "The next member of the answer before.");
    public static readonly Parameter HistoryLimit = new("limit", true, "At most so many versions, 1 to 100.", Number: true);
    public static readonly Parameter FeedLimit = new("limit", true, "At most so many conflicts, 1 to 100.", Number: true);
}

/// <summary>What an endpoint takes beside its body; read by <see cref="OpenApiDocuments"/>.</summary>
internal sealed record TakesMetadata(IReadOnlyList<Parameter> Parameters);

/// <summary>What the answer's headers tell; read by <see cref="OpenApiDocuments"/>.</summary>
internal sealed record AnswerHeaderMetadata(int Status, string Name, string Description);

/// <summary>The body of a request, where it may also be left out.</summary>
internal sealed record OptionalBodyMetadata;

/// <summary>Words to describe an endpoint with. They change nothing of what it does.</summary>
internal static class Describe
{
    public const string AnyType = "*/*";

    public static RouteHandlerBuilder Says(this RouteHandlerBuilder endpoint, string summary) => endpoint.WithSummary(summary);

    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder endpoint, params Parameter[] parameters) =>
        endpoint.WithMetadata(new TakesMetadata(parameters));

    public static RouteHandlerBuilder Reads<T>(
        this RouteHandlerBuilder endpoint, bool optional = false, string contentType = "application/json")
        where T : notnull
    {
        // Any content type is let in, for existing clients send various ones; a bearer token makes that safe. The document names the usual
        // one.
        endpoint.Accepts<T>(optional, contentType, AnyType);
        return optional ? endpoint.WithMetadata(new OptionalBodyMetadata()) : endpoint;
    }

    public static RouteHandlerBuilder Gives<T>(this RouteHandlerBuilder endpoint, string contentType = "application/json") =>
        endpoint.Produces<T>(200, contentType);

    public static RouteHandlerBuilder NotModified(this RouteHandlerBuilder endpoint) => endpoint.Produces(304)
        .WithMetadata(new AnswerHeaderMetadata(200, "ETag", "Weak; send it as If-None-Match with the same question."));

    public static RouteHandlerBuilder Replays(this RouteHandlerBuilder endpoint) => endpoint
        .WithMetadata(
            new AnswerHeaderMetadata(200, "X-Idempotent-Replay", "true when this is the answer of an earlier request with the same key."));

    public static TBuilder Fails<TBuilder>(this TBuilder endpoint, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses)
            endpoint.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemAnswer), ["application/problem+json"]));
        return endpoint;
    }
}
