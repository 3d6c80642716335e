using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mirubato.Tests.Browser;

/// <summary>The page with a keyboard alone, on a small screen, and for eyes that need contrast.</summary>
[Collection(InBrowser.Name)]
public sealed class AccessTests(BrowserFixture fixture)
{
    /// <summary>Text whose contrast with what is behind it is below WCAG AA: 4.5, or 3 for large text.</summary>
    internal const string TooFaint =
        """
        () => {
          const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
          const over = (colours) => { canvas.clearRect(0, 0, 1, 1);
            for (const c of colours) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); }
            return canvas.getImageData(0, 0, 1, 1).data; };
          const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
            .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
          const found = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true })
              || element.closest('.skip, .unseen, template, noscript')) continue;
            const behind = [];
            for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
            const style = getComputedStyle(element);
            const [a, b] = [light(over([...behind, style.color])), light(over(behind))].sort((x, y) => y - x);
            const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
            const ratio = (a + .05) / (b + .05);
            if (ratio < (large ? 3 : 4.5)) found.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
          }
          return found;
        }
        """;

    /// <summary>What has the focus now: its name, and whether one can see that it has it.</summary>
    private const string Focused =
        """
        () => {
          const element = document.activeElement;
          const name = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent.trim();
          const style = getComputedStyle(element);
          return JSON.stringify([name.slice(0, 60), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2]);
        }
        """;

    private static readonly int[] SmallPhoneWidths = [360, 320];

    [BrowserFact]
    public async Task The_whole_flow_works_with_the_keyboard_alone()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        var keys = tab.Page.Keyboard;

        var address = tab.Page.Url;
        await TabTo(tab.Page, "Skip to the journal");
        await keys.PressAsync("Enter");
        await Expect(tab.Laptop.Root.GetByRole(AriaRole.Heading, new() { Name = "Laptop" })).ToBeFocusedAsync();
        await Expect(tab.Page).ToHaveURLAsync(address);
        await TabTo(tab.Page, "Piece");
        await keys.TypeAsync("Sonatina");
        await keys.PressAsync("Tab");
        await keys.PressAsync("Control+A");
        await keys.TypeAsync("30");
        await keys.PressAsync("Tab");
        await keys.TypeAsync("By keyboard");
        await keys.PressAsync("Control+Enter");
        await tab.Phone.Shows("Sonatina", "By keyboard");

        await TabTo(tab.Page, "Edit: Sonatina");
        await keys.PressAsync("Enter");
        await keys.PressAsync("Control+A");
        await keys.TypeAsync("Sonata");
        await keys.PressAsync("Enter");
        await tab.Phone.Shows("Sonata", "By keyboard");
        await Expect(tab.Laptop.Entry("Sonata").GetByRole(AriaRole.Button, new() { Name = "Edit" })).ToBeFocusedAsync();

        await TabTo(tab.Page, "Offline");
        await keys.PressAsync("Space");
        await tab.Phone.Is("offline");
        await TabTo(tab.Page, "Delete: Sonata");
        await keys.PressAsync("Enter");
        await tab.Phone.Lacks("Sonata");
        await Expect(tab.Phone.Queue).ToHaveTextAsync(["deleteSonata"]);
        await TabTo(tab.Page, "Offline", backwards: true);
        await keys.PressAsync("Space");
        await tab.Laptop.Lacks("Sonata");
        Assert.Empty(tab.Faults);
    }

    [BrowserTheory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task It_is_readable_in_light_and_dark_and_each_state_keeps_a_screenshot(ColorScheme scheme)
    {
        await using var profile = await fixture.Profile(options => options.ColorScheme = scheme);
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        Assert.Empty(await tab.Page.EvaluateAsync<string[]>(TooFaint));
        await BrowserFixture.Keep(tab.Page, $"first-{scheme.ToString().ToLowerInvariant()}");
        await Fill(tab);
        await tab.Page.GetByText("More to try").ClickAsync();
        await tab.Phone.GoOffline();
        await tab.Phone.Add("Waits on the phone");
        Assert.Empty(await tab.Page.EvaluateAsync<string[]>(TooFaint));
        await BrowserFixture.Keep(tab.Page, $"desktop-{scheme.ToString().ToLowerInvariant()}");
    }

    /// <summary>The width of glyphs depends on the installed fonts. Letter spacing makes any font a wide one or a narrow one.</summary>
    [BrowserTheory]
    [InlineData("wide", "0.2em")]
    [InlineData("narrow", "-0.08em")]
    public async Task Nothing_is_wider_than_a_small_phone(string font, string letterSpacing)
    {
        await using var profile = await fixture.Profile(
            options => options.ViewportSize = new ViewportSize { Width = SmallPhoneWidths[0], Height = 740 });
        await PageLayout.ForceLetterSpacing(profile, letterSpacing);
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await FitsSmallPhones(tab.Page);
        await Fill(tab);
        await tab.Laptop.Add(new string('W', 100), new string('w', 200), 1440);
        await tab.Laptop.OpenHistory("Clair de lune");
        await Expect(tab.Laptop.History("Clair de lune").GetByRole(AriaRole.Button, new() { Name = "Restore" }).First).ToBeVisibleAsync();
        await tab.Laptop.Add(new string('D', 100));
        await tab.Laptop.Delete(new string('D', 100));
        await Expect(tab.Laptop.Deleted).ToHaveCountAsync(1);
        await tab.Laptop.Entries.First.GetByRole(AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        await tab.Page.GetByText("More to try").ClickAsync();
        await tab.Laptop.Root.GetByRole(AriaRole.Heading, new() { Name = "On the wire" }).ClickAsync();
        await tab.Laptop.Root.Locator(".frame summary").First.ClickAsync();
        await FitsSmallPhones(tab.Page);
        await tab.Page.Keyboard.PressAsync("Escape");
        await tab.Page.ReloadAsync();
        await tab.Live();
        await Expect(tab.Phone.Conflicts).ToHaveCountAsync(1);
        await FitsSmallPhones(tab.Page);
        await BrowserFixture.Keep(tab.Page, $"phone-{font}");
    }

    /// <summary>Some entries and a conflict.</summary>
    private static async Task Fill(DemoTab tab)
    {
        var sample = tab.Page.GetByRole(AriaRole.Button, new() { Name = "Add a sample entry" });
        for (var i = 0; i < 3; i++) await sample.ClickAsync();
        await Expect(tab.Phone.Entries).ToHaveCountAsync(3);
        await tab.Phone.GoOffline();
        await tab.Phone.Edit("Clair de lune", "Slower, with more air between the phrases.");
        await tab.Laptop.Edit("Clair de lune", "Up to tempo from bar 27, hands together.");
        await tab.Phone.GoOnline();
        await Expect(tab.Phone.Conflicts).ToHaveCountAsync(1);
    }

    private static async Task FitsSmallPhones(IPage page)
    {
        foreach (var width in SmallPhoneWidths)
        {
            await page.SetViewportSizeAsync(width, 740);
            var faults = await PageLayout.Faults(page);
            Assert.True(faults.Length == 0, $"At {width} px:\n{string.Join('\n', faults)}");
        }
    }

    /// <summary>Presses Tab until the named thing has the focus. Whatever has it on the way must show so and have a name.</summary>
    private static async Task TabTo(IPage page, string name, bool backwards = false)
    {
        for (var i = 0; i < 80; i++)
        {
            await page.Keyboard.PressAsync(backwards ? "Shift+Tab" : "Tab");
            var focused = System.Text.Json.JsonSerializer.Deserialize<object[]>(await page.EvaluateAsync<string>(Focused))!;
            var (label, isSeen) = ($"{focused[0]}", $"{focused[1]}" == "True");
            if (await page.EvaluateAsync<bool>("document.activeElement === document.body")) continue;
            Assert.True(label.Length > 0, "Something without a name takes the focus.");
            Assert.True(isSeen, $"One cannot see that '{label}' has the focus.");
            if (label == name) return;
        }

        Assert.Fail($"'{name}' cannot be reached with the keyboard.");
    }
}
