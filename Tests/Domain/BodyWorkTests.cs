using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

public sealed class BodyWorkTests
{
    [Fact]
    public async Task Large_work_stays_on_its_part_of_the_cores_also_after_it_waited()
    {
        var seen = await BodyWork.RunAsync(Limits.InlineBodyBytesMax + 1, 0, async _ =>
        {
            var before = TaskScheduler.Current;
            await Task.Yield();
            return (before, TaskScheduler.Current);
        });

        Assert.NotEqual(TaskScheduler.Default, seen.before);
        Assert.Equal(seen.before, seen.Item2);
    }

    [Fact]
    public async Task Small_work_is_done_at_once()
    {
        var scheduler = TaskScheduler.Current;
        Assert.Equal(scheduler, await BodyWork.RunAsync(Limits.InlineBodyBytesMax, 0, _ => ValueTask.FromResult(TaskScheduler.Current)));
    }
}
