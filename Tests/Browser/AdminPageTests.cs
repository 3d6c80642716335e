using Microsoft.Playwright;
using Mirubato.Tests.Admin;
using Mirubato.Tests.EndToEnd;
using static Microsoft.Playwright.Assertions;

namespace Mirubato.Tests.Browser;

/// <summary>The page of the operators: what it shows, does and must never run.</summary>
[Collection(InBrowser.Name)]
public sealed class AdminPageTests(BrowserFixture fixture) : IAsyncLifetime
{
    private const string Evil = "<img src=x onerror=\"window.hacked=1\"></script><script>window.hacked=1</script>";
    private const string User = $"u'\"&{Evil}";

    private DemoServer server = null!;

    public async Task InitializeAsync()
    {
        if (Chromium.Path is not null) server = await DemoServer.Start($"--Admin:Secret={AdminServer.Secret}");
    }

    public async Task DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    [BrowserFact]
    public async Task Nothing_that_a_user_wrote_runs_or_becomes_markup()
    {
        await MakeUser();
        var (profile, page, troubles) = await Open();
        await using var closing = profile;

        await LookUp(page, User);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = User, Exact = true })).ToBeVisibleAsync();
        await Expect(page.Locator("#devices")).ToContainTextAsync(Evil);
        await Expect(page.Locator("#conflicts")).Not.ToContainTextAsync("the loser");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show what is in them" }).ClickAsync();
        await Expect(page.Locator("#conflicts")).ToContainTextAsync("the loser");
        await Expect(page.Locator("#conflicts")).ToContainTextAsync(Evil);
        await page.Locator("#devices button").First.ClickAsync();
        await Expect(page.Locator("#confirm-title")).ToContainTextAsync(Evil);
        await page.Keyboard.PressAsync("Escape");
        await LookUp(page, $"nobody {Evil}");
        await Expect(page.Locator("#said")).ToHaveTextAsync("There is no such user.");

        Assert.Null(await page.EvaluateAsync<object?>("() => window.hacked ?? null"));
        Assert.Equal(0, await page.Locator("main img, main script, main iframe").CountAsync());
        // The refusal of the last look-up is a line of the console, and no fault of the page.
        Assert.DoesNotContain(troubles, text => !text.Contains("404", StringComparison.Ordinal));
    }

    [BrowserFact]
    public async Task Figures_follow_and_an_operator_resyncs_disconnects_and_erases_a_user_by_keyboard()
    {
        using var phone = new HttpDevice(new Uri(server.Url), "ada", "phone");
        await phone.PushEntry("""{"id":"e1","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        var token = (await phone.Pull()).Text("syncToken");
        var (profile, page, troubles) = await Open();
        await using var closing = profile;
        var keys = page.Keyboard;

        await Expect(page.Locator("#health")).ToHaveTextAsync("healthy");
        await Expect(page.Locator("#silos li")).ToHaveCountAsync(1);
        await Expect(page.Locator("#charts path").First).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("L"));
        await page.Locator("#user").FocusAsync();
        await keys.TypeAsync("ada");
        await keys.PressAsync("Enter");
        await Expect(page.Locator("#who")).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Resync" })).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(page.Locator("dialog")).ToBeVisibleAsync();
        await keys.PressAsync("Escape");
        await Expect(page.Locator("dialog")).ToBeHiddenAsync();
        Assert.Equal(token, (await phone.Pull()).Text("syncToken"));
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Resync" })).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(page.Locator("dialog")).ToBeVisibleAsync();
        await keys.PressAsync("Tab");
        await Expect(page.Locator("#confirm-yes")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(page.Locator("#said")).ToContainTextAsync("Resynchronized");
        Assert.NotEqual(token, (await phone.Pull()).Text("syncToken"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Erase" }).ClickAsync();
        await Expect(page.Locator("#confirm-yes")).ToBeDisabledAsync();
        await page.Locator("#typed").FillAsync("ada");
        await page.Locator("#confirm-yes").ClickAsync();
        await Expect(page.Locator("#said")).ToHaveTextAsync("Erased.");
        await Expect(page.Locator("#head")).ToContainTextAsync("0 live, 1 deleted");
        Assert.Empty(troubles);
    }

    [BrowserFact]
    public async Task An_operator_looks_at_versions_and_rewinds_a_user_to_before_a_mistake()
    {
        using var phone = new HttpDevice(new Uri(server.Url), "ada", "phone");
        await phone.PushEntry($$"""{"id":"e1","notes":"{{"<b>first</b>"}}","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        var (profile, page, troubles) = await Open();
        await using var closing = profile;
        await LookUp(page, "ada");

        await page.Locator("#version-type").FillAsync("logbook_entry");
        await page.Locator("#version-id").FillAsync("e1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show versions" }).ClickAsync();
        await Expect(page.Locator("#versions pre")).ToContainTextAsync("<b>first</b>");
        await Expect(page.Locator("#versions button")).ToHaveCountAsync(0);

        await page.Locator("#rewind-to").FillAsync("2001-01-01T00:00:01");
        await page.Locator("#rewind-device").SelectOptionAsync("phone");
        await page.GetByRole(AriaRole.Button, new() { Name = "Look what it would do" }).ClickAsync();
        await Expect(page.Locator("#confirm-text")).ToContainTextAsync("the device phone");
        await Expect(page.Locator("#confirm-text")).ToContainTextAsync("1 deleted");
        await Expect(page.Locator("#confirm-yes")).ToBeDisabledAsync();
        Assert.Single((await phone.Pull()).List("entries"));
        await page.Locator("#typed").FillAsync("ada");
        await page.Locator("#confirm-yes").ClickAsync();
        await Expect(page.Locator("#said")).ToHaveTextAsync("Rewound: 1 entities.");

        Assert.Empty((await phone.Pull()).List("entries"));
        Assert.Empty(troubles);
    }

    [BrowserFact]
    public async Task An_operator_stores_a_version_again_and_is_asked_before()
    {
        const string id = "e/1 <b>";
        using var phone = new HttpDevice(new Uri(server.Url), "ada", "phone");
        foreach (var (notes, day) in ((string, int)[])[("first", 1), ("second", 2)])
            await phone.PushEntry($$"""{"id":"{{id}}","notes":"{{notes}}","updatedAt":"2026-01-0{{day}}T00:00:00.000Z"}""");
        var (profile, page, troubles) = await Open();
        await using var closing = profile;
        await LookUp(page, "ada");
        await page.Locator("#version-type").FillAsync("logbook_entry");
        await page.Locator("#version-id").FillAsync(id);
        await page.GetByRole(AriaRole.Button, new() { Name = "Show versions" }).ClickAsync();
        var restore = page.GetByRole(AriaRole.Button, new() { Name = "Restore: version 1" });

        await restore.ClickAsync();
        await Expect(page.Locator("#confirm-title")).ToHaveTextAsync($"Restore version 1 of logbook_entry {id}?");
        await page.Keyboard.PressAsync("Escape");
        Assert.Equal("second", (await phone.Pull()).Only("entries").Text("notes"));
        await restore.ClickAsync();
        await page.Locator("#confirm-yes").ClickAsync();
        await Expect(page.Locator("#said")).ToHaveTextAsync("Version 1 was stored again (updated).");

        Assert.Equal("first", (await phone.Pull()).Only("entries").Text("notes"));
        await Expect(page.Locator("#versions li")).ToHaveCountAsync(3);
        Assert.Empty(await PageLayout.Faults(page));
        await BrowserFixture.Keep(page, "admin-restore");
        Assert.Empty(troubles);
    }

    [BrowserTheory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 360)]
    [InlineData(ColorScheme.Dark, 320)]
    public async Task It_fits_and_can_be_read_in_light_and_dark_on_a_desk_and_on_a_phone(ColorScheme scheme, int width)
    {
        await MakeUser();
        using var phone = new HttpDevice(new Uri(server.Url), "ada", "Ada's phone");
        await phone.Push("""
            "entries":[{"id":"e1","updatedAt":"2026-01-02T00:00:00.000Z"}],"goals":[{"id":"g1","updatedAt":1}]
            """);
        using var tablet = new HttpDevice(new Uri(server.Url), "ada", "tablet");
        await tablet.Pull();
        await tablet.PushEntry("""{"id":"e1","notes":"older","updatedAt":"2026-01-01T00:00:00.000Z"}""");
        var (profile, page, _) = await Open(options =>
        {
            options.ColorScheme = scheme;
            options.ViewportSize = new ViewportSize { Width = width, Height = 800 };
        });
        await using var closing = profile;

        foreach (var user in (string[])[User, "ada"])
        {
            await LookUp(page, user);
            await page.GetByRole(AriaRole.Button, new() { Name = "Show what is in them" }).ClickAsync();
            await Expect(page.Locator("#conflicts pre")).ToHaveCountAsync(1);
            Assert.Empty(await PageLayout.Faults(page));
            Assert.Empty(await page.EvaluateAsync<string[]>(AccessTests.TooFaint));
        }

        await BrowserFixture.Keep(page, $"admin-{scheme}-{width}".ToLowerInvariant());
    }

    private static async Task LookUp(IPage page, string user)
    {
        await page.Locator("#user").FillAsync(user);
        await page.GetByRole(AriaRole.Button, new() { Name = "Look up" }).ClickAsync();
    }

    /// <summary>A user whose id, device, entity and document all try to be script.</summary>
    private async Task MakeUser()
    {
        using var phone = new HttpDevice(new Uri(server.Url), User, Evil);
        using var tablet = new HttpDevice(new Uri(server.Url), User, "tablet");
        var id = System.Text.Json.JsonSerializer.Serialize(Evil);
        await phone.PushEntry($$"""{"id":{{id}},"notes":{{id}},"updatedAt":"2026-01-02T00:00:00.000Z"}""");
        await tablet.PushEntry($$"""{"id":{{id}},"notes":{{id}},"more":"the loser","updatedAt":"2026-01-01T00:00:00.000Z"}""");
    }

    private async Task<(IBrowserContext Profile, IPage Page, List<string> Troubles)> Open(Action<BrowserNewContextOptions>? change = null)
    {
        var profile = await fixture.Profile(options =>
        {
            options.HttpCredentials = new HttpCredentials { Username = "op", Password = AdminServer.Secret };
            change?.Invoke(options);
        });
        var (page, troubles) = (await profile.NewPageAsync(), new List<string>());
        page.Console += (_, line) =>
        {
            if (line.Type is "error" or "warning") troubles.Add(line.Text);
        };
        page.PageError += (_, error) => troubles.Add(error);
        page.Dialog += (_, dialog) => troubles.Add(dialog.Message);
        await page.GotoAsync($"{server.Url}/admin");
        await Expect(page.Locator("#health")).ToHaveTextAsync("healthy");
        return (profile, page, troubles);
    }
}
