using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Mirubato.Tests.Browser;

/// <summary>Work goes on without a network, and nothing of it is lost when the network is back.</summary>
[Collection(InBrowser.Name)]
public sealed class OfflineTests(BrowserFixture fixture)
{
    private const int Many = 2_000;

    // A second or two by itself; a machine that is busy elsewhere takes its time.
    private static readonly LocatorAssertionsToHaveTextOptions Patient = new() { Timeout = 60_000 };

    [BrowserTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Both_edit_one_is_offline_and_reloads_and_comes_back(bool theWholeBrowser)
    {
        var user = BrowserFixture.NewUser();
        await using var here = await fixture.Profile(options => options.ServiceWorkers = ServiceWorkerPolicy.Allow);
        await using var there = await fixture.Profile();
        var away = await (await DemoTab.Open(here, fixture.Server.Url, user)).Live();
        var home = await (await DemoTab.Open(there, fixture.Server.Url, user)).Live();
        await away.Laptop.Add("Shared", "before");
        await home.Laptop.Shows("Shared", "before");
        await away.IsKept();

        if (theWholeBrowser) await here.SetOfflineAsync(true);
        else await away.Laptop.GoOffline();
        await away.Laptop.Is("offline");
        await away.Laptop.Edit("Shared", "written on the train");
        await away.Laptop.Add("Only on the train");
        await home.Laptop.Edit("Shared", "written at home, later");
        await home.Laptop.Add("Only at home");
        await away.Page.ReloadAsync();
        await away.Laptop.Is("offline");
        await away.Laptop.Shows("Shared", "written on the train");
        await Expect(away.Laptop.Queue).ToHaveTextAsync(["writeShared", "writeOnly on the train"]);
        if (!theWholeBrowser) await BrowserFixture.Keep(away.Page, "offline-with-queue");

        if (theWholeBrowser) await here.SetOfflineAsync(false);
        else await away.Laptop.GoOnline();
        await away.Laptop.Shows("Shared", "written at home, later");
        await home.Laptop.Shows("Only on the train");
        await away.Laptop.Shows("Only at home");
        await away.Laptop.ShowsTheSameAs(home.Laptop);
        await Expect(away.Laptop.Waiting).ToHaveTextAsync("0");

        await Expect(away.Laptop.Conflicts).ToContainTextAsync(["written on the train"]);
        await Expect(away.Laptop.Conflicts).ToContainTextAsync(["written at home, later"]);
        await BrowserFixture.Keep(away.Page, "conflict-open");
        await away.Laptop.Conflicts.GetByRole(AriaRole.Button, new() { Name = "Restore" }).ClickAsync();
        await home.Laptop.Shows("Shared", "written on the train");
        await away.Laptop.ShowsTheSameAs(home.Laptop);
        await Expect(
            away.Laptop.Conflicts.GetByRole(
                AriaRole.Heading, new() { Name = "Set aside" }).Locator("..")).Not.ToContainTextAsync(["written on the train"]);
        Assert.Empty(away.Faults.Concat(home.Faults));
    }

    [BrowserFact]
    public async Task A_browser_that_is_back_does_not_undo_the_switch()
    {
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, fixture.Server.Url, BrowserFixture.NewUser())).Live();
        await tab.Laptop.GoOffline();
        await profile.SetOfflineAsync(true);
        await tab.Phone.Is("offline");
        await profile.SetOfflineAsync(false);
        await tab.Phone.Is("live");
        await tab.Laptop.Is("offline");
        await Expect(tab.Laptop.Switch).ToBeCheckedAsync();
    }

    [BrowserFact]
    public async Task Two_thousand_offline_writes_drain_in_order_exactly_once_through_a_server_killed_between_commit_and_answer()
    {
        var user = BrowserFixture.NewUser();
        await using var server = await DemoServer.Start();
        await using var profile = await fixture.Profile();
        var tab = await (await DemoTab.Open(profile, server.Url, user)).Live();
        await tab.Laptop.GoOffline();
        await tab.Phone.GoOffline();
        await tab.Laptop.WriteMany(Many);
        await Expect(tab.Laptop.Waiting).ToHaveTextAsync("2,000", Patient);
        await Expect(tab.Laptop.Queue.Last).ToHaveTextAsync("and 1,980 more");
        var batches = 0;
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The second half is committed and not answered: the hardest moment for the server to go.
        await profile.RouteAsync("**/api/sync/batch", async route =>
        {
            if (Interlocked.Increment(ref batches) != 2)
            {
                await route.ContinueAsync();
                return;
            }

            Assert.Equal(200, (await route.FetchAsync()).Status);
            await server.Kill();
            await route.AbortAsync();
            killed.SetResult();
        });
        await tab.Laptop.GoOnline();
        await killed.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await tab.Laptop.Is("waiting");
        await Expect(tab.Laptop.Waiting).ToHaveTextAsync("1,000", Patient);
        await server.Begin();
        await Expect(tab.Laptop.Waiting).ToHaveTextAsync("0", Patient);
        await tab.Laptop.Is("live");
        await Expect(tab.Laptop.Revision).ToHaveTextAsync("2,000", Patient);
        OnceEachInOrder(await server.Pull(user));
    }

    /// <summary>
    /// An entity's first version is its revision: consecutive ones, in the order of writing, say that each was stored once.
    /// </summary>
    private static void OnceEachInOrder(JsonElement pulled)
    {
        Assert.Equal(Many, pulled.GetProperty("lastSeq").GetInt64());
        var stored = pulled.GetProperty("entries").EnumerateArray().OrderBy(entry => entry.GetProperty("version").GetInt64()).ToList();
        Assert.Equal(Enumerable.Range(1, Many).Select(n => (long)n), stored.Select(entry => entry.GetProperty("version").GetInt64()));
        Assert.Equal(Enumerable.Range(0, Many).Select(n => $"number {n}"), stored.Select(entry => entry.GetProperty("notes").GetString()));
    }
}
