using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mirubato.Tests.Browser;

/// <summary>Two edits of one entry are both kept, and what was replaced or deleted can be had again.</summary>
[Collection(InBrowser.Name)]
public sealed class MergingTests(BrowserFixture fixture)
{
    [BrowserFact]
    public async Task Different_fields_that_were_edited_offline_on_both_devices_are_both_kept()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await tab.Laptop.Add("Sarabande", "slow", 20);
        await tab.Phone.Shows("Sarabande", "slow");
        await tab.Laptop.GoOffline();
        await tab.Phone.GoOffline();
        await tab.Laptop.EditField("Sarabande", "Minutes", "45");
        await tab.Phone.EditField("Sarabande", "Notes", "with the metronome");
        await tab.Laptop.GoOnline();
        await Expect(tab.Laptop.Waiting).ToHaveTextAsync("0");
        await tab.Phone.GoOnline();

        await Expect(tab.Phone.News).ToHaveTextAsync("“Sarabande” was changed elsewhere too, and both edits are kept.");
        foreach (var pane in (DemoPane[])[tab.Laptop, tab.Phone])
        {
            await pane.Shows("Sarabande", "with the metronome");
            await Expect(pane.Entry("Sarabande").Locator(".minutes")).ToHaveTextAsync("45 min");
            await Expect(pane.Conflicts).ToHaveCountAsync(0);
        }

        await BrowserFixture.Keep(tab.Page, "merged");
        Assert.Empty(tab.Faults);
    }

    [BrowserFact]
    public async Task Of_one_field_that_both_edited_the_earlier_value_is_set_aside_alone()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await tab.Laptop.Add("Sarabande", "slow", 20);
        await tab.Phone.Shows("Sarabande", "slow");
        await tab.Phone.GoOffline();
        await tab.Phone.Edit("Sarabande", "on the phone");
        await tab.Laptop.Edit("Sarabande", "on the laptop");
        await tab.Laptop.EditField("Sarabande", "Minutes", "45");
        await Expect(tab.Laptop.Waiting).ToHaveTextAsync("0");
        await tab.Phone.GoOnline();

        await Expect(tab.Phone.Conflicts).ToHaveCountAsync(1);
        await Expect(tab.Phone.Conflicts).ToContainTextAsync(["Set aside: notes"]);
        await tab.Phone.Conflicts.GetByRole(AriaRole.Button, new() { Name = "Restore" }).ClickAsync();
        foreach (var pane in (DemoPane[])[tab.Laptop, tab.Phone])
        {
            await pane.Shows("Sarabande", "on the phone");
            await Expect(pane.Entry("Sarabande").Locator(".minutes")).ToHaveTextAsync("45 min");
        }

        Assert.Empty(tab.Faults);
    }

    [BrowserFact]
    public async Task An_entry_has_a_history_to_go_back_to_and_a_deleted_one_comes_back()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await tab.Laptop.Add("Gigue", "first", 10);
        await tab.Laptop.Edit("Gigue", "second");
        await Expect(tab.Laptop.Waiting).ToHaveTextAsync("0");
        await tab.Laptop.OpenHistory("Gigue");
        var versions = tab.Laptop.History("Gigue").Locator("li");
        await Expect(versions).ToContainTextAsync(["second", "first"]);
        await tab.Laptop.Edit("Gigue", "third");
        await Expect(versions).ToContainTextAsync(["third", "second", "first"]);
        await BrowserFixture.Keep(tab.Page, "history");
        await versions.Last.GetByRole(AriaRole.Button, new() { Name = "Restore" }).ClickAsync();
        await tab.Phone.Shows("Gigue", "first");
        await Expect(versions).ToContainTextAsync(["first", "third", "second", "first"]);

        await tab.Phone.Delete("Gigue");
        await tab.Laptop.Lacks("Gigue");
        await tab.Page.ReloadAsync();
        await tab.Live();
        await Expect(tab.Laptop.Deleted).ToContainTextAsync(["“Gigue” is deleted"]);
        await tab.Laptop.Deleted.GetByRole(AriaRole.Button, new() { Name = "Bring back" }).ClickAsync();
        foreach (var pane in (DemoPane[])[tab.Laptop, tab.Phone])
        {
            await pane.Shows("Gigue", "first");
            await Expect(pane.Deleted).ToHaveCountAsync(0);
        }

        Assert.Empty(tab.Faults);
    }
}
