using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mirubato.Tests.Browser;

/// <summary>The picture in README is this test's screenshot, copied to Client/demo/picture.png.</summary>
[Collection(InBrowser.Name)]
public sealed class PictureTests(BrowserFixture fixture)
{
    private const int Width = 1180;

    [BrowserFact]
    public async Task The_picture_of_the_page_shows_a_merge_a_conflict_and_a_history()
    {
        await using var profile = await fixture.Profile(options => options.ViewportSize = new ViewportSize { Width = Width, Height = 900 });
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await tab.Laptop.Add("Invention No. 8 in F", "Steady at 72. Both voices sing now.", 15);
        await tab.Laptop.Add("Clair de lune", "Bars 27 to 36, hands separately.", 25);
        await tab.Phone.Shows("Clair de lune", "Bars 27 to 36, hands separately.");
        await tab.Phone.GoOffline();
        await tab.Phone.Edit("Clair de lune", "Slower, with more air between the phrases.");
        await tab.Phone.EditField("Clair de lune", "Minutes", "40");
        await tab.Laptop.Edit("Clair de lune", "Up to tempo from bar 27, hands together.");
        await Expect(tab.Laptop.Waiting).ToHaveTextAsync("0");
        await tab.Phone.GoOnline();

        foreach (var pane in (DemoPane[])[tab.Laptop, tab.Phone])
        {
            await pane.Shows("Clair de lune", "Up to tempo from bar 27, hands together.");
            await Expect(pane.Entry("Clair de lune").Locator(".minutes")).ToHaveTextAsync("40 min");
            await Expect(pane.Conflicts).ToContainTextAsync(["Set aside: notes"]);
        }

        await tab.Laptop.OpenHistory("Clair de lune");
        await Expect(tab.Laptop.History("Clair de lune").GetByRole(AriaRole.Button, new() { Name = "Restore" })).ToHaveCountAsync(2);
        await Keep(tab.Page);
        Assert.Empty(tab.Faults);
    }

    /// <summary>From the top of the page to the end of the conflicts.</summary>
    private static async Task Keep(IPage page)
    {
        var end = await page.Locator("#laptop .conflicts-part").BoundingBoxAsync();
        await BrowserFixture.Keep(page, "picture", new Clip { Width = Width, Height = end!.Y + end.Height });
    }
}
