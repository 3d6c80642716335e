using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Engine;

/// <summary>The sockets of a process, which record the news that they receive.</summary>
internal sealed class RecordingGateway : IGatewayObserver
{
    public List<UserNews> News { get; } = [];

    public List<Announcement> Announcements => [.. News.Select(news => news.Announcement).OfType<Announcement>()];

    /// <summary>What a tell waits for; also when it fails.</summary>
    public Func<Task> Delivering { get; set; } = () => Task.CompletedTask;

    public Func<SilentConnection?> Silent { get; set; } = () => null;

    public async Task Tell(UserNews news)
    {
        lock (News) News.Add(news);
        await Delivering();
    }

    public Task<SilentConnection?> LongestSilent(UserId user) => Task.FromResult(Silent());

    public Task<List<ConnectionPosition>> Positions(UserId user) => Task.FromResult<List<ConnectionPosition>>([]);
}
