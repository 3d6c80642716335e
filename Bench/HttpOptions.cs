using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench;

/// <summary>What one run of the http verb was asked to do.</summary>
internal sealed record HttpOptions(Target Target, string Secret, int Users, int Concurrency, TimeSpan Seconds, TimeSpan Warmup)
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromHours(12);

    public required int Seed { get; init; }

    /// <summary>Where they are on this machine, and their CPU time is asked for.</summary>
    public MeasuredProcesses Processes { get; init; } = MeasuredProcesses.None;

    /// <summary>Part of every user's name and every entry's id: no run meets what an earlier one left behind.</summary>
    public required string Run { get; init; }

    public Identity Identify(Scenario scenario, int index, TimeProvider time) => Identify($"{scenario.Name}_{index:D4}", time);

    public Identity Identify(string name, TimeProvider time)
    {
        var user = $"bench_{Run}_{name}";
        return new Identity(Run, user, BearerToken.Sign(Secret, user, time.GetUtcNow(), TokenLifetime));
    }
}
