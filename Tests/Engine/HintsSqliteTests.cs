using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>A process that is alone hears itself.</summary>
public sealed class HintsSqliteTests : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-hints-").FullName;
    private readonly FakeClock clock = new();
    private HintsProcess process = null!;

    public async Task InitializeAsync() => process = await HintsProcess.Start(null, Path.Combine(directory, "sync.db"), clock);

    public async Task DisposeAsync()
    {
        await process.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_commit_is_heard_before_its_writer_is_answered()
    {
        var user = new UserId("u");
        var head = await HintsPostgresTests.Push(process, user, "a");

        Assert.Equal([new HeadMoved(user, head)], process.Heard.All);
    }

    [Fact]
    public async Task Heads_are_compared_every_half_minute()
    {
        clock.Advance(TimeSpan.FromMilliseconds(Limits.HeadsComparedEveryMs - 1));
        Assert.Equal(0, process.Heard.MissedCount);

        clock.Advance(TimeSpan.FromMilliseconds(1));
        await process.Heard.Until(h => h.MissedCount == 1);
        clock.Advance(TimeSpan.FromMilliseconds(Limits.HeadsComparedEveryMs));
        await process.Heard.Until(h => h.MissedCount == 2);
    }

    [Fact]
    public async Task Nobody_need_listen()
    {
        await process.DisposeAsync();
        process = await HintsProcess.Start(null, Path.Combine(directory, "sync.db"), clock, listens: false);

        Assert.Equal(1, (await HintsPostgresTests.Push(process, new UserId("u"), "a")).Seq.Number);
    }
}
