namespace Mirubato.Tests.Browser;

/// <summary>
/// The browser of these tests: the system's own, because no download of Playwright's is relied upon. <c>MIRUBATO_TEST_CHROMIUM</c> names
/// another, or none.
/// </summary>
internal static class Chromium
{
    public static readonly string? Path = Find();

    public static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        // A test that answers for the server makes the page look as if it came from elsewhere, which may not speak to this machine.
        "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    ];

    private static string? Find()
    {
        string[] usual =
        [
            "/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        ];
        return (
            Environment.GetEnvironmentVariable("MIRUBATO_TEST_CHROMIUM") is { Length: > 0 } named
                ? [named]
                : usual).FirstOrDefault(File.Exists);
    }
}

/// <summary>A test in a browser; left out, with the reason, where there is none.</summary>
internal sealed class BrowserFactAttribute : FactAttribute
{
    public const string Why =
        "There is no Chromium here: install the package 'chromium-headless-shell' or 'chromium' (./test does, where it may), or name one in MIRUBATO_TEST_CHROMIUM.";

    public BrowserFactAttribute()
    {
        if (Chromium.Path is null) Skip = Why;
    }
}

internal sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute()
    {
        if (Chromium.Path is null) Skip = BrowserFactAttribute.Why;
    }
}
