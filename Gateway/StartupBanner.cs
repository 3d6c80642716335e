using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway;

/// <summary>What a developer sees once the server is up: where it is, a token, and three lines that show what it does.</summary>
internal static class StartupBanner
{
    public const string SampleUser = "ada";

    public static void Print(WebApplication app)
    {
        var options = app.Services.GetRequiredService<GatewayOptions>();
        if (!app.Environment.IsDevelopment() || options.Auth.Secret is null) return;
        var url = app.Urls.FirstOrDefault(url => url.StartsWith("http://", StringComparison.Ordinal))
            ?? app.Urls.FirstOrDefault()
            ?? GatewayHost.DefaultUrl;
        var now = app.Services.GetRequiredKeyedService<TimeProvider>(ServerClock.Key).GetUtcNow();
        Console.WriteLine(Text(url, SampleToken.For(SampleUser, options.Auth, now, TimeSpan.FromDays(1)), now, options));
    }

    private static string Text(string url, string token, DateTimeOffset now, GatewayOptions options)
    {
        var entry =
            $$$"""{"changes":{"entries":[{"id":"first-entry","timestamp":"{{{IsoTime.Text(now)}}}","duration":25,"type":"practice",""" +
            $$$""" "instrument":"piano","notes":"Slow, hands separate","updatedAt":"{{{IsoTime.Text(now)}}}"}]}}""";
        var storage = options.Storage;
        var store = storage.Postgres is null ? $"SQLite at {Path.GetFullPath(storage.SqlitePath)}" : "PostgreSQL";
        var push =
            $"""{url}/api/sync/push -H "Authorization: Bearer $TOKEN" -H 'X-Device-ID: laptop'""" +
            $""" -H 'X-Idempotency-Key: first-{now.ToUnixTimeSeconds()}' -H 'Content-Type: application/json' -d '{entry}'""";
        var demo = options.Demo.Enabled
            ? $"\n\n  See it happen: open {url}{Demo.DemoPage.Path}, write on the left, and it appears on the right.\n"
            : "";
        return $"""

            Mirubato Sync is up at {url}, storing in {store}.{demo}
            A token of the sample user '{SampleUser}', for one day:

              TOKEN={token}

            Push an entry from one device:

              curl -s {push}

            Pull everything on another:

              curl -s {url}/api/sync/pull -X POST -H "Authorization: Bearer $TOKEN" -H 'X-Device-ID: phone'

            Send the very same push again. Nothing happens twice: X-Idempotent-Replay says that this is the first answer, to the byte.

              curl -si {push}

            """;
    }
}
