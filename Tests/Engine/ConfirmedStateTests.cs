using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>How long what the store said may decide, and what ends that early.</summary>
public sealed class ConfirmedStateTests : IDisposable
{
    private static readonly UserId User = new("ada");
    private static readonly Epoch Epoch = new(Guid.NewGuid());

    private readonly FakeClock clock = new();
    private readonly CountingStore store = CountingStore.Over(null);
    private readonly PlainNode node;
    private readonly ConfirmedState confirmed;
    private readonly Turns turns = new();

    public ConfirmedStateTests()
    {
        node = new PlainNode(store.Store, clock);
        confirmed = new ConfirmedState(User, node.Silo);
        Say(State(last: 1));
    }

    public void Dispose() => node.Dispose();

    [Fact]
    public async Task A_confirmation_by_the_store_counts_for_five_seconds_from_the_start_of_the_statement()
    {
        store.Instead[nameof(IUserStore.State)] = _ =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(3_000));
            return new ValueTask<UserState>(State(last: 1));
        };
        await Fresh();
        clock.Advance(TimeSpan.FromMilliseconds(Limits.ConfirmedMs - 3_000));
        await Fresh();
        Assert.Equal(1, Asked);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await Fresh();
        Assert.Equal(2, Asked);
    }

    [Theory]
    [InlineData(Limits.ConfirmedMs, 1)]
    [InlineData(Limits.ConfirmedMs + 1, 2)]
    public async Task A_wall_clock_that_was_set_ages_it_as_well(int setMs, int asked)
    {
        await Fresh();
        clock.AdjustTime(clock.GetUtcNow().AddMilliseconds(-setMs));
        await Fresh();
        Assert.Equal(asked, Asked);
    }

    [Fact]
    public async Task A_commit_with_the_same_rights_confirms_from_its_own_start()
    {
        await Fresh();
        clock.Advance(TimeSpan.FromMilliseconds(4_000));
        var startedAt = node.Silo.Clock.Read();
        clock.Advance(TimeSpan.FromMilliseconds(1_000));
        await Commit(last: 2, rights: 0, startedAt);
        clock.Advance(TimeSpan.FromMilliseconds(Limits.ConfirmedMs - 1_000));

        Assert.Equal(2, (await Fresh()).HistoryState.Last.Number);
        Assert.Equal(1, Asked);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await Fresh();
        Assert.Equal(2, Asked);
    }

    [Fact]
    public async Task A_commit_does_not_confirm_the_number_of_devices()
    {
        await Fresh();
        clock.Advance(TimeSpan.FromMilliseconds(Limits.ConfirmedMs + 1));
        await Commit(last: 2, rights: 0, node.Silo.Clock.Read());
        await Fresh();
        Assert.Equal(1, Asked);
        await turns.Run(() => confirmed.Counted().AsTask());
        Assert.Equal(2, Asked);
    }

    [Fact]
    public async Task A_commit_with_other_rights_confirms_nothing()
    {
        await Fresh();
        await Commit(last: 2, rights: 1, node.Silo.Clock.Read());
        Say(State(last: 2, rights: 1));
        Assert.Equal(1, (await Fresh()).HistoryState.Rights);
        Assert.Equal(2, Asked);
    }

    [Fact]
    public async Task A_commit_in_another_epoch_confirms_nothing()
    {
        await Fresh();
        await turns.Run(
            () =>
                confirmed.Committed(new SyncToken(new Epoch(Guid.NewGuid()), new Revision(2)), 0, clock.NowMs, 0, node.Silo.Clock.Read()));
        await Fresh();
        Assert.Equal(2, Asked);
    }

    [Fact]
    public async Task The_result_of_a_statement_from_before_an_invalidation_is_not_kept()
    {
        var (asking, answer) = Hold();
        await turns.Run(confirmed.Invalidate);
        Say(State(last: 1, rights: 1));
        await turns.Run(() => answer.SetResult(State(last: 1, rights: 0)));
        await asking;

        Assert.Equal(1, (await Fresh()).HistoryState.Rights);
        Assert.Equal(2, Asked);
    }

    [Fact]
    public async Task A_call_after_an_invalidation_does_not_share_a_statement_from_before_it()
    {
        var (before, answer) = Hold();
        await turns.Run(confirmed.Invalidate);
        Say(State(last: 1, rights: 1));
        var after = Fresh();
        await turns.Run(() => answer.SetResult(State(last: 1, rights: 0)));

        Assert.Equal(1, (await after).HistoryState.Rights);
        Assert.Equal(1, (await before).HistoryState.Rights);
    }

    [Fact]
    public async Task A_statement_that_a_commit_overtook_does_not_set_the_head_back()
    {
        await Fresh();
        clock.Advance(TimeSpan.FromMilliseconds(Limits.ConfirmedMs + 1));
        var (asking, answer) = Hold();
        await Commit(last: 2, rights: 0, node.Silo.Clock.Read());
        await turns.Run(() => answer.SetResult(State(last: 1)));

        Assert.Equal(2, (await asking).HistoryState.Last.Number);
        Assert.Equal(2, (await Fresh()).HistoryState.Last.Number);
    }

    [Fact]
    public async Task Callers_that_ask_at_the_same_time_share_one_statement()
    {
        var (first, answer) = Hold();
        var second = Fresh();
        await turns.Run(() => answer.SetResult(State(last: 3)));

        Assert.Same(await first, await second);
        Assert.Equal(1, Asked);
    }

    private int Asked => store.Calls(nameof(IUserStore.State));

    private Task<UserState> Fresh() => turns.Run(() => confirmed.Fresh().AsTask());

    private Task Commit(long last, long rights, ClockReading startedAt) =>
        turns.Run(() => confirmed.Committed(new SyncToken(Epoch, new Revision(last)), 0, clock.NowMs, rights, startedAt));

    private void Say(UserState state) => store.Instead[nameof(IUserStore.State)] = _ => new ValueTask<UserState>(state);

    /// <summary>A statement that runs until the test answers it.</summary>
    private (Task<UserState> Asking, TaskCompletionSource<UserState> Answer) Hold()
    {
        var answer = new TaskCompletionSource<UserState>();
        store.Instead[nameof(IUserStore.State)] = _ => new ValueTask<UserState>(answer.Task);
        var asking = Fresh();
        return (asking, answer);
    }

    private static UserState State(long last, long rights = 0) =>
        new(new HistoryState(Epoch, new Revision(1), new Revision(last), Revision.Origin, 0, 0, 0, 0, DeviceRevoked: false, rights), [], 1);
}
