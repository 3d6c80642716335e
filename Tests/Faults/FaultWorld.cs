using System.Collections.Concurrent;
using System.Diagnostics;

namespace Mirubato.Tests.Faults;

/// <summary>An acknowledgement as its device understood it.</summary>
internal sealed record Acknowledged(FaultChange Change, FaultItem Item, string Status, long? Version, string By);

/// <summary>A write over HTTP that was sent with one cursor and answered with another.</summary>
internal sealed record TokenGiven(string User, long From, long To, string Marker);

/// <summary>What all devices of a run share: where the gateways are, what time it is in the schedule, and what came of it all.</summary>
internal sealed class FaultWorld(int seed, IReadOnlyList<Uri> gateways)
{
    private readonly Stopwatch clock = Stopwatch.StartNew();

    public int Seed => seed;

    public IReadOnlyList<Uri> Gateways => gateways;

    public ConcurrentQueue<FaultChange> Changes { get; } = [];

    public ConcurrentQueue<Acknowledged> Acknowledgements { get; } = [];

    public ConcurrentQueue<TokenGiven> Tokens { get; } = [];

    public ConcurrentQueue<SocketTrail> Trails { get; } = [];

    public ConcurrentQueue<string> Faults { get; } = [];

    public ConcurrentDictionary<string, int> Counts { get; } = [];

    public long NowMs => clock.ElapsedMilliseconds;

    /// <summary>All are there: the schedule begins now.</summary>
    public void Begin() => clock.Restart();

    public void Count(string what, int by = 1) => Counts.AddOrUpdate(what, by, (_, before) => before + by);

    public void Fault(string what) => Faults.Enqueue($"at {NowMs} ms: {what}");

    /// <summary>Until the schedule has come so far.</summary>
    public Task At(long ms) => For(ms - NowMs);

    public static Task For(long ms) => ms <= 0 ? Task.CompletedTask : Task.Delay(TimeSpan.FromMilliseconds(ms));
}
