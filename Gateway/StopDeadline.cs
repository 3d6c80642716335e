using Microsoft.Extensions.Options;

namespace Mirubato.Gateway;

/// <summary>
/// Ends a process that does not stop in time. Without its database Orleans tries for minutes to leave the list of members, and an
/// operator who stops a server waits for it.
/// </summary>
internal sealed class StopDeadline : IDisposable
{
    /// <summary>Beyond the host's own timeout, after which the host gives up on whatever listens to it.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource stopped = new();

    public void Watch(WebApplication app)
    {
        var timeout = app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout;
        app.Lifetime.ApplicationStopping.Register(() => _ = EndAfter(timeout + Grace));
    }

    /// <summary>The app has stopped, and was disposed of.</summary>
    public void Dispose()
    {
        stopped.Cancel();
        stopped.Dispose();
    }

    private async Task EndAfter(TimeSpan time)
    {
        try
        {
            await Task.Delay(time, stopped.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        // Not logged: the console's logger writes from a queue that nobody would wait for.
        await Console.Error.WriteLineAsync(
            $"The process did not stop within {time.TotalSeconds:N0} s, perhaps because the store cannot be reached, and ends now. "
            + "What was acknowledged is stored.");
        Environment.Exit(1);
    }
}
