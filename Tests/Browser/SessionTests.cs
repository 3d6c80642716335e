using Microsoft.Playwright;
using Mirubato.Tests.Gateway;
using static Microsoft.Playwright.Assertions;

namespace Mirubato.Tests.Browser;

/// <summary>Tabs, tokens, and the end of it all.</summary>
[Collection(InBrowser.Name)]
public sealed class SessionTests(BrowserFixture fixture)
{
    [BrowserFact]
    public async Task A_second_tab_takes_over_when_the_first_closes()
    {
        var user = BrowserFixture.NewUser();
        await using var here = await fixture.Profile();
        await using var there = await fixture.Profile();
        var first = await (await DemoTab.Open(here, fixture.Server.Url, user)).Live();
        var second = await (await DemoTab.Open(here, fixture.Server.Url, user)).Live();
        var other = await (await DemoTab.Open(there, fixture.Server.Url, user)).Live();
        await Expect(first.Laptop.Root).ToHaveAttributeAsync("data-leader", "true");
        await Expect(second.Laptop.Root).ToHaveAttributeAsync("data-leader", "false");

        await second.Laptop.Add("By the follower");
        await other.Phone.Shows("By the follower");
        await first.Laptop.Shows("By the follower");
        await first.Page.CloseAsync();
        await Expect(second.Laptop.Root).ToHaveAttributeAsync("data-leader", "true");
        await second.Live();
        await second.Laptop.Add("By the new leader");
        await other.Phone.Shows("By the new leader");
        await other.Phone.Add("And back");
        await second.Laptop.Shows("And back");
    }

    [BrowserFact]
    public async Task A_tab_that_took_over_without_a_network_comes_back_with_it()
    {
        await using var profile = await fixture.Profile();
        var user = BrowserFixture.NewUser();
        var first = await (await DemoTab.Open(profile, fixture.Server.Url, user)).Live();
        var second = await (await DemoTab.Open(profile, fixture.Server.Url, user)).Live();
        await profile.SetOfflineAsync(true);
        await first.Laptop.Is("offline");
        await second.Laptop.Is("offline");
        await first.Page.CloseAsync();
        await Expect(second.Laptop.Root).ToHaveAttributeAsync("data-leader", "true");
        await profile.SetOfflineAsync(false);
        await second.Live();
    }

    [BrowserFact]
    public async Task A_token_is_renewed_before_it_ends_and_after_it_was_refused_without_a_reload()
    {
        var user = BrowserFixture.NewUser();
        await using var server = await DemoServer.Start("--Demo:TokenSeconds=5");
        await using var profile = await fixture.Profile();
        var given = 0;
        await profile.RouteAsync("**/demo/token*", async route =>
        {
            if (Interlocked.Increment(ref given) > 2) await route.ContinueAsync();
            else await route.FulfillAsync(new() { Status = 200, Body = Edge.Token(user, expires: DateTimeOffset.UtcNow.AddHours(-1)) });
        });
        var tab = await (await DemoTab.Open(profile, server.Url, user)).Live();
        await Expect(tab.Laptop.Frames("AUTHENTICATED").Nth(1)).ToBeVisibleAsync();
        await Expect(tab.Laptop.Frames("WELCOME")).ToHaveCountAsync(1);
        await tab.Laptop.Add("After two lives of a token");
        await tab.Phone.Shows("After two lives of a token");
        Assert.InRange(given, 5, 100);
    }

    [BrowserFact]
    public async Task Signing_out_leaves_nothing_and_asks_before_unsent_work_is_lost()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await tab.Laptop.Add("Mine alone");
        await tab.Phone.Shows("Mine alone");
        await tab.Phone.GoOffline();
        await tab.Phone.Add("Not sent");

        var dialog = tab.Page.GetByRole(AriaRole.Dialog);
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(dialog).ToContainTextAsync("One edit has not reached the server");
        await tab.Page.Keyboard.PressAsync("Escape");
        await tab.Phone.Shows("Not sent");
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();

        await Expect(tab.Page.GetByRole(AriaRole.Heading, new() { Name = "Signed out" })).ToBeFocusedAsync();
        Assert.Equal(
            "[]", await tab.Page.EvaluateAsync<string>("indexedDB.databases().then(all => JSON.stringify(all.map(one => one.name)))"));
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>("localStorage.length"));
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Begin a new journal" }).ClickAsync();
        await tab.Live();
        await Expect(tab.Laptop.Entries).ToHaveCountAsync(0);
        Assert.Empty(tab.Faults);
    }

    [BrowserFact]
    public async Task An_entry_the_server_does_not_take_is_shown_and_holds_nothing_up()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        var form = tab.Laptop.Root.Locator(".compose");
        await form.GetByLabel("Piece").FillAsync("A whole book");
        await form.GetByLabel("Notes").FillAsync(new string('x', 300_000));
        await form.GetByRole(AriaRole.Button, new() { Name = "Add entry" }).ClickAsync();
        await Expect(tab.Laptop.Queue).ToContainTextAsync(["A whole book was not taken"]);
        await tab.Laptop.Add("A short note");
        await tab.Phone.Shows("A short note");

        await tab.Laptop.Queue.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(tab.Laptop.Frames("POST /api/sync/batch")).ToHaveCountAsync(3);
        await Expect(tab.Laptop.Queue).ToContainTextAsync(["A whole book was not taken"]);
        await tab.Laptop.Queue.GetByRole(AriaRole.Button, new() { Name = "Discard" }).ClickAsync();
        await Expect(tab.Laptop.Queue).ToHaveCountAsync(0);
        await tab.Laptop.Lacks("A whole book");
    }
}
