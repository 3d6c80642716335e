using System.Globalization;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Http;

/// <summary>What every answer carries.</summary>
internal static class CommonHeaders
{
    public const string Schema = "X-Sync-Schema";
    public const string Replay = "X-Idempotent-Replay";

    /// <summary>
    /// Header values are Latin-1 at best, so a client sends a name that is not ASCII as <c>encodeURIComponent</c> writes it. What is no
    /// valid sequence stays as it was sent.
    /// </summary>
    public const string Device = "X-Device-ID";
    public const string Key = "X-Idempotency-Key";
    public const string StandardKey = "Idempotency-Key";
    public const string Confirm = "Confirm";

    /// <summary>How long the oldest edit that the device has not sent yet has waited, in whole seconds.</summary>
    public const string UnsentAge = "X-Sync-Unsent-Age";

    /// <summary>"1": the client takes over merged documents.</summary>
    public const string Merge = "X-Sync-Merge";

    private static readonly string SchemaText = ProtocolVersion.Current.ToString(CultureInfo.InvariantCulture);

    public static void Set(HttpResponse response)
    {
        var headers = response.Headers;
        headers[Schema] = SchemaText;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
    }
}
