using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Support;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    private const int LeaseMs = 10;

    [Fact]
    public void A_sweep_that_goes_on_elsewhere_ends_as_if_it_had_not_been_interrupted() =>
        Property.HoldsForSchedules(schedule => Task.Run(() => Interrupt(schedule)).GetAwaiter().GetResult(), runs: 10, steps: 8);

    /// <summary>Each number of the schedule is a user with old and young rows.</summary>
    private async Task Interrupt(IReadOnlyList<int> schedule)
    {
        var users = schedule.Select((_, place) => new UserId($"u{place:d2}")).ToArray();
        await Populate(users, schedule);
        await RunSteps(new Random(0), interrupts: false);
        Assert.Equal(SweepReport.Nothing, await Upkeep.Sweep(Later, Cancel));
        var (expected, expectedRights) = (await Dump(users, withRights: false), await Dump(users, withRights: true));

        await Populate(users, schedule);
        var repeats = await RunSteps(new Random(schedule.Aggregate(17, HashCode)), interrupts: true);

        // A batch that is repeated from an older cursor may meet a user's rows in other portions, each of which raises the rights.
        Assert.Equal(repeats ? expected : expectedRights, await Dump(users, withRights: !repeats));

        static int HashCode(int all, int one) => unchecked((all * 31) + one);
    }

    /// <summary>All steps by holders who stop without a word between batches. True when one stopped before its cursor was stored.</summary>
    private async Task<bool> RunSteps(Random random, bool interrupts)
    {
        var repeats = false;
        var (holder, now) = await Successor(null, Later);
        foreach (var step in Enum.GetValues<SweepStep>())
        {
            var stored = new SweepProgress(0, null, Done: false);
            while (!stored.Done)
            {
                var progress = await Upkeep.Sweep(step, stored.Cursor, holder, now, Cancel);
                Assert.InRange(progress.Removed, 0, SweepRowsMax);
                var stops = interrupts && random.Next(3) == 0;
                var isStored = !stops || random.Next(3) > 0;
                repeats |= !isStored;
                if (isStored) stored = progress;
                if (stops) (holder, now) = await Successor((holder, now), now + LeaseMs);
            }
        }

        await Upkeep.ReleaseLease(holder, Cancel);
        return repeats;
    }

    /// <summary>
    /// Takes the lease once the one of the holder before has expired. That one, should it wake up by its own clock, finds it lost.
    /// </summary>
    private async Task<(string Holder, long Now)> Successor((string Holder, long Now)? before, long now)
    {
        var holder = $"h{now}";
        Assert.True(await Upkeep.TryLease(holder, now, now + LeaseMs, Cancel));
        if (before is { } stopped)
            await Assert.ThrowsAsync<LeaseLostException>(() => Sweep(SweepStep.TrimTombstones, stopped.Holder, stopped.Now));
        return (holder, now);
    }

    private async Task Populate(UserId[] users, IReadOnlyList<int> seeds)
    {
        string[] tables = ["sync_metadata", "sync_data", "sync_versions", "idempotency_keys", "sync_conflicts", "sync_devices"];
        foreach (var table in tables) await Sql($"DELETE FROM {table}");
        for (var i = 0; i < users.Length; i++) await Populate(users[i], new Random(seeds[i]), i, erases: seeds[i] % 3 == 0);
    }

    /// <summary>Old and young rows of every kind that a sweep takes; at least one old row of each.</summary>
    private async Task Populate(UserId of, Random random, int place, bool erases)
    {
        await Hold(of, Some(await At(of), random, "a"));
        if (erases) await Store.Erase(of, Now + place, Cancel);
        await Hold(of, Some(await At(of), random, "b"));
        await Versions(of, random.Next(1, 4));
        await Hold(of, Some(await At(of), random, "c") with { NowMs = Later });
        for (var i = 0; i < 4; i++)
        {
            await Store.SeeDevice(of, new DeviceId($"d{i}"), 0, 9, i > 0 && random.Next(2) == 0 ? Later : Now, Cancel);
        }
    }

    /// <summary>One entity, changed so often within a minute: one version of it is kept for long.</summary>
    private async Task Versions(UserId of, int times)
    {
        for (var i = 0; i <= times + 1; i++)
        {
            var at = await At(of);
            await Hold(of, Commit(at, Row(Entry("v"), at.Last.Number + 1)) with { Versions = [Entry("v")] });
        }
    }

    private static Commit Some(HistoryState at, Random random, string name)
    {
        var rows = Enumerable.Range(1, random.Next(1, 9)).Select(i => random.Next(4) switch
        {
            0 when i > 1 => Row(Entry($"{name}{i}"), at.Last.Number + i),
            1 when i > 1 => Tombstone(Entry($"{name}{i}"), at.Last.Number + i, Later),
            _ => Tombstone(Entry($"{name}{i}"), at.Last.Number + i),
        });
        return Commit(at, [.. rows]) with
        {
            Losers = [.. Enumerable.Range(0, random.Next(1, 5)).Select(i => Loser($"{name}{i}", "{}"))],
            Receipts = [.. Enumerable.Range(0, random.Next(1, 5)).Select(i =>
                Receipt($"{name}{i}", i > 0 && random.Next(2) == 0 ? Later + DayMs : Now + DayMs))],
        };
    }

    private async Task<string> Dump(IReadOnlyList<UserId> users, bool withRights)
    {
        var lines = new List<string>();
        foreach (var of in users)
        {
            var (history, heads) = await Store.Load(of, Revision.Origin, Now, Cancel);
            lines.Add($"{of} {history with { Epoch = default, Rights = withRights ? history.Rights : 0 }}");
            lines.AddRange(heads
                .Select(head => $"{head.Entity} {head.Head with { Echoes = [] }} {head.Head.Echoes.Count}")
                .Order(StringComparer.Ordinal));
            lines.AddRange((await Store.Conflicts(of, null, 100, Cancel)).Select(conflict => conflict.Id).Order(StringComparer.Ordinal));
            lines.AddRange((await Store.Versions(of, new EntityKey("", ""), 0, 100, Cancel)).Select(v => $"{v.Entity} {v.Version}"));
            lines.AddRange((await Store.Devices(of, Cancel)).Select(device => $"{device}"));
            foreach (var key in from name in "abc" from i in Enumerable.Range(0, 5) select $"{name}{i}")
                if (await Store.Receipt(of, WriteScope.Push, key, 0, Cancel) is not null) lines.Add(key);
        }

        return string.Join('\n', lines);
    }

    private async Task<HistoryState> At(UserId of) => await Store.HistoryState(of, null, Now, Cancel);

    private async Task Hold(UserId of, Commit commit) => Assert.Equal(CommitResult.Held, (await Store.Commit(of, commit, Cancel)).Result);
}
