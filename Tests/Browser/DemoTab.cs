using Microsoft.Playwright;

namespace Mirubato.Tests.Browser;

/// <summary>The demo page in one tab, as a person uses it.</summary>
internal sealed class DemoTab
{
    private readonly List<string> faults = [];

    private DemoTab(IPage page)
    {
        Page = page;
        Laptop = new DemoPane(page, "laptop");
        Phone = new DemoPane(page, "phone");
        page.PageError += (_, error) => faults.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.Ordinal)) faults.Add(message.Text);
        };
    }

    public IPage Page { get; }

    public DemoPane Laptop { get; }

    public DemoPane Phone { get; }

    /// <summary>Errors of the page's script, and what its policy forbade.</summary>
    public IReadOnlyList<string> Faults => faults;

    public static async Task<DemoTab> Open(IBrowserContext profile, string url, string user)
    {
        var tab = new DemoTab(await profile.NewPageAsync());
        await tab.Page.GotoAsync($"{url}/demo#user={user}");
        await Assertions.Expect(tab.Phone.Root).ToBeVisibleAsync();
        return tab;
    }

    public async Task<DemoTab> Live()
    {
        await Laptop.Is("live");
        await Phone.Is("live");
        return this;
    }

    /// <summary>Keeps its files for a start without a network, once it says so.</summary>
    public Task IsKept() => Page.EvaluateAsync("navigator.serviceWorker.ready.then(() => undefined)");
}

/// <summary>One of the two devices of the page.</summary>
internal sealed class DemoPane(IPage page, string name)
{
    public string Name => name;

    public ILocator Root { get; } = page.Locator($"#{name}");

    public ILocator Entries => Root.Locator(".entry");

    public ILocator Queue => Root.Locator(".queue > li");

    public ILocator Conflicts => Root.Locator(".conflicts > li");

    public ILocator Deleted => Root.Locator(".deleted > li");

    public ILocator History(string title) => Entry(title).Locator(".history");

    public ILocator Switch => Root.GetByRole(AriaRole.Switch, new() { Name = "Offline" });

    public ILocator Revision => Root.Locator("[data-part=revision]");

    public ILocator Waiting => Root.Locator("[data-part=pending]");

    public ILocator News => Root.Locator("[data-part=news]");

    public ILocator Frames(string label) => Root.Locator(".frame .label").GetByText(label, new() { Exact = true });

    public ILocator Entry(string title) =>
        Entries.Filter(new() { Has = page.GetByRole(AriaRole.Heading, new() { Name = title, Exact = true }) });

    public Task Is(string connection) => Assertions.Expect(Root).ToHaveAttributeAsync("data-connection", connection);

    public async Task Add(string title, string notes = "", int minutes = 20)
    {
        var form = Root.Locator(".compose");
        await form.GetByLabel("Piece").FillAsync(title);
        await form.GetByLabel("Minutes").FillAsync($"{minutes}");
        await form.GetByLabel("Notes").FillAsync(notes);
        await form.GetByRole(AriaRole.Button, new() { Name = "Add entry" }).ClickAsync();
        await Shows(title, notes);
    }

    public async Task Edit(string title, string notes)
    {
        await EditField(title, "Notes", notes);
        await Shows(title, notes);
    }

    public async Task EditField(string title, string label, string value)
    {
        await Entry(title).GetByRole(AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        var form = Root.Locator("form.edit");
        await form.GetByLabel(label).FillAsync(value);
        await form.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
    }

    public Task OpenHistory(string title) => Entry(title).GetByRole(AriaRole.Button, new() { Name = "History" }).ClickAsync();

    public Task Delete(string title) => Entry(title).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();

    public async Task Shows(string title, string notes = "")
    {
        try
        {
            await Assertions.Expect(Entry(title)).ToHaveCountAsync(1);
        }
        catch (PlaywrightException lacking)
        {
            // The state and the frames of the pane say why.
            throw new InvalidOperationException($"{lacking.Message}\nThe pane shows:\n{await Root.InnerTextAsync()}", lacking);
        }

        if (notes.Length > 0) await Assertions.Expect(Entry(title).Locator(".notes")).ToHaveTextAsync(notes);
    }

    public Task Lacks(string title) => Assertions.Expect(Entry(title)).ToHaveCountAsync(0);

    /// <summary>The same entries in the same order as another device, to the letter.</summary>
    public async Task ShowsTheSameAs(DemoPane other)
    {
        await Assertions.Expect(Revision).ToHaveTextAsync(await other.Revision.InnerTextAsync());
        await Assertions.Expect(Entries).ToHaveTextAsync([.. await other.Entries.AllTextContentsAsync()]);
    }

    public async Task GoOffline()
    {
        await Switch.ClickAsync();
        await Is("offline");
    }

    public Task GoOnline() => Switch.ClickAsync();

    /// <summary>Writes as an app does, many at once, faster than hands could.</summary>
    public Task WriteMany(int count) => page.EvaluateAsync(
        """
        ([name, count]) => demo[name].collection('logbook_entry').putAll(Array.from({ length: count }, (_, i) => (
          { id: `entry-${i}`, pieces: [{ title: `Study ${i}` }], duration: 5,
            notes: `number ${i}`, type: 'practice', instrument: 'piano', writtenOn: 'Laptop' })))
          .then(() => undefined)
        """, new object[] { name, count });
}
