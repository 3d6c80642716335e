namespace Mirubato.Gateway.Rest;

/// <summary>
/// Asks at most once a second and waits at most two: health is asked without a token, and must be neither a way to load the store nor
/// one to hang.
/// </summary>
internal sealed class Readiness(IReadiness readiness, [FromKeyedServices(ServerClock.Key)] TimeProvider time, ILogger<Readiness> log)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private Task<bool> answer = Task.FromResult(false);
    private DateTimeOffset? asked;

    public Task<bool> Ready()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            var old = asked is not { } at || now - at >= Fresh || now < at;
            if (!old || !answer.IsCompleted) return answer;
            asked = now;
            return answer = Ask();
        }
    }

    private async Task<bool> Ask()
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            return await readiness.Ready(patience.Token).AsTask().WaitAsync(Patience, time, CancellationToken.None);
        }
        catch (Exception failure)
        {
            Log.NotReady(log, failure);
            return false;
        }
    }
}
