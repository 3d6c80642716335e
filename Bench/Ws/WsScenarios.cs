namespace Mirubato.Bench.Ws;

/// <summary>Everything the ws verb measures, in the order it is measured and printed.</summary>
internal static class WsScenarios
{
    public static readonly IReadOnlyList<WsScenario> All =
    [
        new FanOut(1, 50),
        new FanOut(9, 50),
        new FanOut(1, 500),
        new FanOut(9, 500),
        new ClosedMutations(2, 1),
        new ClosedMutations(2, 10),
        new ClosedMutations(10, 10),
        new Openings(200),
        new CatchUp(10_000),
        new StalledReader(),
        new IdleMemory(1_000),
        new IdleMemory(10_000),
    ];
}
