using Mirubato.Grains;
using Mirubato.Grains.Storage;

namespace Mirubato.Tests.Silo;

public class MaintenanceStateTests
{
    private const long HourMs = 60 * 60 * 1000;
    private const long NowMs = 1_800_000_000_000;

    [Theory]
    [InlineData(0, true)]
    [InlineData(NowMs - HourMs, true)]
    [InlineData(NowMs - HourMs + 1, false)]
    [InlineData(NowMs, false)]
    [InlineData(NowMs + 1, false)]
    [InlineData(NowMs + HourMs, true)]
    public void A_sweep_is_due_an_hour_after_the_last_one_began(long startedMs, bool due) =>
        Assert.Equal(due, new MaintenanceState { StartedMs = startedMs }.IsDue(NowMs));

    [Fact]
    public void A_sweep_goes_through_all_steps_from_batch_to_batch()
    {
        var state = new MaintenanceState().Begin(NowMs);
        foreach (var step in Enum.GetValues<SweepStep>())
        {
            Assert.Equal((true, true, step, null), (state.IsRunning, state.IsDue(NowMs), state.Step!.Value, state.Cursor));
            state = state.After(new SweepProgress(3, "there", Done: false), NowMs + 1);
            Assert.Equal((step, "there", 3), (state.Step, state.Cursor, state.Removed));
            state = state.After(new SweepProgress(4, null, Done: true), NowMs + (int)step);
            Assert.Equal(7, state.RemovedBy(step));
        }

        Assert.False(state.IsRunning);
        Assert.False(state.IsDue(NowMs + 1));
        Assert.Equal(Enum.GetValues<SweepStep>().Select(step => new SweepResult(step, 7, NowMs + (int)step)), state.Results);
    }

    [Fact]
    public void The_next_sweep_replaces_results_step_by_step()
    {
        var state = new MaintenanceState().Begin(NowMs);
        while (state.IsRunning) state = state.After(new SweepProgress(1, null, Done: true), NowMs);

        state = state.Begin(NowMs + HourMs).After(new SweepProgress(5, null, Done: true), NowMs + HourMs);

        Assert.Equal(Enum.GetValues<SweepStep>().Length, state.Results.Length);
        Assert.Equal((5, 1, SweepStep.Conflicts), (state.RemovedBy(SweepStep.Receipts), state.RemovedBy(SweepStep.Conflicts), state.Step));
    }

    [Fact]
    public void A_step_of_a_newer_release_is_begun_anew()
    {
        var state = new MaintenanceState { StartedMs = NowMs, Step = (SweepStep)99 };

        Assert.False(state.IsRunning);
        Assert.True(state.IsDue(NowMs));
        Assert.Equal(SweepStep.Receipts, state.Begin(NowMs).Step);
    }
}
