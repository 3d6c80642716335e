using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;

namespace Mirubato.Tests.Bench;

public sealed class MediansTests
{
    [Fact]
    public void Each_figure_is_the_middle_one_and_errors_are_added_up()
    {
        var median = Assert.Single(Medians.From([Run(9, 1, 30), Run(1, 2, 10), Run(5, 3, 20)]).Scenarios);

        Assert.Equal((5, 2, 20), (median.PerSecond, median.P99Ms, median.ServerCpuUs));
        Assert.Equal(3, median.Errors);
    }

    [Fact]
    public void Of_an_even_number_it_is_the_mean_of_the_two_in_the_middle() =>
        Assert.Equal(2.5, Medians.MiddleOf([4, 1, 2, 3]));

    [Fact]
    public void A_figure_that_was_not_measured_stays_so_and_a_scenario_of_one_run_counts() =>
        Assert.Equal(
            ["one", "other"],
            Medians.From([Run(1, 1, null, "one"), Run(1, 1, null, "other")]).Scenarios
                .Where(figures => figures.ServerCpuUs is null).Select(figures => figures.Name));

    private static Report Run(double perSecond, double p99, double? cpu, string name = "push-1") =>
        new(new Machine(2, "os", "runtime", 1024), "command", DateTimeOffset.UnixEpoch, 1)
        {
            Scenarios =
            [
                new Figures(name, "a push", 1, 1, 1, 1, perSecond, 1, 1, p99, 1, 1, null) { ServerCpuUs = cpu },
            ],
        };
}
