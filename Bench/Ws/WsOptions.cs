using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>What one run of the ws verb was asked to do.</summary>
/// <param name="Target">The server.</param>
/// <param name="Second">Another gateway over the same store: all devices of a user but the first are there.</param>
/// <param name="Secret">Signs the tokens.</param>
internal sealed record WsOptions(Target Target, Target? Second, string Secret, TimeSpan Seconds, TimeSpan Warmup)
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    public required TimeProvider Time { get; init; }

    public required int Seed { get; init; }

    /// <summary>Part of every user's name and every entry's id: no run meets what an earlier one left behind.</summary>
    public required string Run { get; init; }

    /// <summary>Where they are on this machine, and their memory and CPU time are asked for.</summary>
    public MeasuredProcesses Processes { get; init; } = MeasuredProcesses.None;

    public Identity Identify(string name)
    {
        var user = $"bench_{Run}_{name}";
        return new Identity(Run, user, BearerToken.Sign(Secret, user, Time.GetUtcNow(), TokenLifetime));
    }
}
