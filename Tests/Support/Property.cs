using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Mirubato.Tests.Support;

/// <summary>
/// Random tests over schedules: lists of numbers, each of which one step is drawn from, so that a failing schedule shrinks by leaving
/// steps out. A failure prints its seed; <c>MIRUBATO_SEED=a,b,size</c> runs exactly that one again.
/// </summary>
internal static class Property
{
    public static void HoldsForSchedules(Action<IReadOnlyList<int>> property, int runs, int steps)
    {
        var schedules = Gen.Choose(0, int.MaxValue - 1).ArrayOf();
        var config = Config.QuickThrowOnFailure.WithMaxTest(runs).WithStartSize(4).WithEndSize(steps).WithQuietOnSuccess(true);
        if (Environment.GetEnvironmentVariable("MIRUBATO_SEED") is { Length: > 0 } seed)
        {
            config = config.WithReplay(Replay(seed)).WithMaxTest(1);
        }
        Prop.ForAll(Arb.From(schedules, Shrink), (int[] schedule) => property(schedule)).Check(config);
    }

    private static FSharpOption<Replay> Replay(string seed)
    {
        var parts = seed.Trim('(', ')').Split(',');
        var size = parts.Length > 2 ? FSharpOption<int>.Some(int.Parse(parts[2], CultureInfo.InvariantCulture)) : FSharpOption<int>.None;
        var rnd = new Rnd(ulong.Parse(parts[0], CultureInfo.InvariantCulture), ulong.Parse(parts[1], CultureInfo.InvariantCulture));
        return FSharpOption<Replay>.Some(new Replay(rnd, size));
    }

    /// <summary>Leaves out halves, then quarters, down to single steps; never changes a step.</summary>
    private static IEnumerable<int[]> Shrink(int[] schedule)
    {
        for (var length = schedule.Length / 2; length >= 1; length /= 2)
        {
            for (var from = 0; from + length <= schedule.Length; from += length)
                yield return [.. schedule.Take(from), .. schedule.Skip(from + length)];
        }
    }
}
