using Xunit.Abstractions;
using static Microsoft.Playwright.Assertions;

namespace Mirubato.Tests.Browser;

/// <summary>What is written here appears there.</summary>
[Collection(InBrowser.Name)]
public sealed class CrossingTests(BrowserFixture fixture, ITestOutputHelper output)
{
    [BrowserFact]
    public async Task A_newcomer_sees_the_first_entry_cross_at_once()
    {
        await using var profile = await fixture.Profile(options => options.ReducedMotion = Microsoft.Playwright.ReducedMotion.NoPreference);
        var page = await profile.NewPageAsync();
        await page.GotoAsync($"{fixture.Server.Url}/demo");
        await Expect(page.GetByText("Write on the left; it appears on the right.")).ToBeVisibleAsync();
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Add a sample entry" }).ClickAsync();

        var phone = new DemoPane(page, "phone");
        await phone.Shows("Clair de lune");
        await Expect(phone.News).ToContainTextAsync("“Clair de lune” arrived");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/demo#user=demo-[a-z0-9]{16,40}$"));

        await new DemoPane(page, "laptop").Is("live");
        await phone.Is("live");
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Add a sample entry" }).ClickAsync();
        await Expect(phone.News).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("“Invention No. 8 in F” arrived in \\d+ ms."));
        output.WriteLine(await phone.News.InnerTextAsync());
    }

    [BrowserFact]
    public async Task A_click_before_the_page_can_do_anything_is_not_lost()
    {
        await using var profile = await fixture.Profile();
        var page = await profile.NewPageAsync();
        var scriptMayCome = new TaskCompletionSource();
        await page.RouteAsync("**/demo/demo.js", async route =>
        {
            await scriptMayCome.Task;
            await route.ContinueAsync();
        });
        var opening = page.GotoAsync($"{fixture.Server.Url}/demo");
        var sample = page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Add a sample entry" });
        await Expect(sample).ToBeVisibleAsync();
        var clicking = sample.ClickAsync();
        foreach (var early in (string[])["Add a sample entry", "Copy link", "Sign out"])
        {
            await Expect(page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = early, Exact = true })).ToBeDisabledAsync();
        }

        scriptMayCome.SetResult();
        await opening;
        await clicking;
        await new DemoPane(page, "phone").Shows("Clair de lune");
    }

    [BrowserFact]
    public async Task Create_edit_and_delete_cross_to_another_browser()
    {
        var user = BrowserFixture.NewUser();
        await using var here = await fixture.Profile();
        await using var there = await fixture.Profile();
        var one = await (await DemoTab.Open(here, fixture.Server.Url, user)).Live();
        var two = await (await DemoTab.Open(there, fixture.Server.Url, user)).Live();

        await one.Laptop.Add("Arabesque", "Hands separately", 25);
        await two.Phone.Shows("Arabesque", "Hands separately");
        await two.Phone.Edit("Arabesque", "Hands together");
        await one.Laptop.Shows("Arabesque", "Hands together");
        await one.Phone.Shows("Arabesque", "Hands together");
        await one.Phone.Delete("Arabesque");
        foreach (var pane in (DemoPane[])[one.Laptop, one.Phone, two.Laptop, two.Phone])
        {
            await pane.Lacks("Arabesque");
            await Expect(pane.Conflicts).ToHaveCountAsync(0);
        }

        Assert.Empty(one.Faults.Concat(two.Faults));
    }

    [BrowserFact]
    public async Task A_change_under_an_open_form_is_said_and_none_of_the_two_is_lost()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await tab.Laptop.Add("Étude", "first");
        await tab.Phone.Shows("Étude", "first");
        await tab.Laptop.Entry("Étude").GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        var form = tab.Laptop.Root.Locator("form.edit");
        await form.GetByLabel("Notes").FillAsync("from the laptop");
        await tab.Phone.Edit("Étude", "from the phone");
        await Expect(form.GetByRole(Microsoft.Playwright.AriaRole.Status)).ToContainTextAsync("from the phone");
        await Expect(form.GetByLabel("Notes")).ToHaveValueAsync("from the laptop");
        await form.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Save" }).ClickAsync();

        await tab.Phone.Shows("Étude", "from the laptop");
        await Expect(tab.Phone.Conflicts).ToContainTextAsync(["from the phone"]);
    }
}
