using System.Collections.Concurrent;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Silo.Tests;

/// <summary>A room that can be waited for.</summary>
internal sealed class RecordingRoom : IRoom
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ConcurrentQueue<Announcement> heard = new();
    private TaskCompletionSource more = Fresh();

    public IReadOnlyList<Announcement> Heard => [.. heard];

    public void Announce(Announcement announcement)
    {
        heard.Enqueue(announcement);
        Interlocked.Exchange(ref more, Fresh()).SetResult();
    }

    public async Task Until(Func<IReadOnlyList<Announcement>, bool> isSo)
    {
        while (true)
        {
            var next = Volatile.Read(ref more).Task;
            if (isSo(Heard)) return;
            await next.WaitAsync(Patience);
        }
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
