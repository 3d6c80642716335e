using Microsoft.Playwright;
using Mirubato.Tests.Docs;

namespace Mirubato.Tests.Browser;

/// <summary>One browser and one server for all these tests; each test has users and browser profiles of its own.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    /// <summary>However slow the machine is: what comes, comes within this.</summary>
    private const int PatienceMs = 90_000;

    private IPlaywright? playwright;
    private IBrowser? browser;

    internal DemoServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (Chromium.Path is null) return;
        Assertions.SetDefaultExpectTimeout(PatienceMs);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Chromium.Path, Args = Chromium.Arguments, Headless = true });
        Server = await DemoServer.Start();
    }

    public async Task DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
        if (Server is not null) await Server.DisposeAsync();
    }

    internal static string NewUser() => $"demo-{Guid.NewGuid():n}";

    /// <summary>Another person's browser, or another of the same person's: nothing is shared with the rest.</summary>
    internal async Task<IBrowserContext> Profile(Action<BrowserNewContextOptions>? change = null)
    {
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 1280, Height = 900 },
            ReducedMotion = ReducedMotion.Reduce,
            ServiceWorkers = ServiceWorkerPolicy.Block,
        };
        change?.Invoke(options);
        var profile = await browser!.NewContextAsync(options);
        profile.SetDefaultTimeout(PatienceMs);
        return profile;
    }

    internal static Task Keep(IPage page, string name, Clip? part = null) => page.ScreenshotAsync(new PageScreenshotOptions
    {
        Path = Path.Combine(SourceTree.Root, "TestResults", "screenshots", $"{name}.png"),
        FullPage = true,
        Clip = part,
        Animations = ScreenshotAnimations.Disabled,
    });
}

/// <summary>
/// One after the other, beside the other suites: what these tests wait for has no bound in time but the fixture's patience.
/// </summary>
[CollectionDefinition(Name)]
public sealed class InBrowser : ICollectionFixture<BrowserFixture>
{
    public const string Name = "Browser";
}
