namespace Mirubato.Gateway.Rest;

/// <summary>
/// Asks at most once a second and waits at most two: health is asked without a token, and must be neither a way to load the store nor
/// one to hang.
/// </summary>
internal sealed class Readiness(IReadiness readiness, [FromKeyedServices(ServerClock.Key)] TimeProvider time, ILogger<Readiness> log)
{
    /// <summary>The process stops, or an operator took it out of service.</summary>
    public const string Draining = "draining";

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private Task<string?> answer = Task.FromResult<string?>(null);
    private DateTimeOffset? asked;

    /// <summary>Why the server cannot serve, or only reads; null when it can.</summary>
    public Task<string?> Trouble()
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

    private async Task<string?> Ask()
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            return await readiness.Ready(patience.Token).AsTask().WaitAsync(Patience, time, CancellationToken.None) ? null : "starting";
        }
        catch (Exception failure)
        {
            Log.NotReady(log, failure);
            return failure is StoreUnavailableException away ? away.Reason : "timeout";
        }
    }
}
