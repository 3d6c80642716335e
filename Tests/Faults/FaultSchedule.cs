namespace Mirubato.Tests.Faults;

internal enum Act
{
    Save,
    Delete,
    Flood,
    Offline,
    Drop,
    Stall,
    PageLoad,
    Resend,
    KillSilo,
    PauseSilo,
    RestartStore,
    CutConnections,
}

/// <summary>One thing that happens. What its numbers mean depends on what it is.</summary>
/// <param name="Device">Who does it; -1: it happens to the servers.</param>
/// <param name="ForMs">How long it lasts, where it lasts.</param>
internal sealed record FaultStep(long AtMs, int Device, Act Act, int Type = 0, int Number = 0, int ForMs = 0, int Paths = 0)
{
    public override string ToString() =>
        $"{AtMs} ms: {(Device < 0 ? "servers" : "device " + Device)} {Act} type {Type} number {Number} for {ForMs} ms by {Paths}";
}

/// <summary>
/// Everything that is done, and when, as a pure function of the seed. How the processes keep up with it is theirs: a failure that hangs on
/// a race shows again only if the race is lost again, so a seed is worth running more than once.
/// </summary>
internal static class FaultSchedule
{
    private const int WindowEveryMs = 2_000;

    public static IReadOnlyList<FaultStep> Create(int seed, int devices, int milliseconds, IReadOnlySet<Act>? without = null)
    {
        var steps = Enumerable.Range(0, devices).SelectMany(
            device => OfDevice(device, new Random(unchecked((seed * 7_919) + device)), milliseconds))
            .Concat(OfServers(new Random(unchecked((seed * 7_919) - 1)), milliseconds));
        return [.. steps.Where(step => without?.Contains(step.Act) is not true).OrderBy(step => step.AtMs)];
    }

    /// <summary>Only edits and deletions, each device one in about <paramref name="everyMs"/>.</summary>
    public static IReadOnlyList<FaultStep> Edits(int seed, int devices, int milliseconds, int everyMs)
    {
        var random = new Random(seed);
        var steps = new List<FaultStep>();
        for (var device = 0; device < devices; device++)
        {
            for (long at = random.Next(everyMs); at < milliseconds; at += random.Next(everyMs, 2 * everyMs))
                steps.Add(
                    new FaultStep(
                        at, device, random.Next(10) == 0 ? Act.Delete : Act.Save, random.Next(FaultType.All.Count),
                        (int)(at / WindowEveryMs) + random.Next(4), ForMs: random.Next(2), Paths: random.Next(1, 4)));
        }

        return [.. steps.OrderBy(step => step.AtMs)];
    }

    private static IEnumerable<FaultStep> OfDevice(int device, Random random, int milliseconds)
    {
        for (long at = random.Next(400); at < milliseconds; at += random.Next(40, 600))
        {
            var act = random.Next(100) switch
            {
                < 64 => Act.Save,
                < 76 => Act.Delete,
                < 77 => Act.Flood,
                < 82 => Act.Offline,
                < 87 => Act.Drop,
                < 90 => Act.Stall,
                < 92 => Act.PageLoad,
                _ => Act.Resend,
            };
            // Ids wander, so that devices meet on few entities at a time and yet deleted ones do not use up all there are.
            var number = (int)(at / WindowEveryMs) + random.Next(4);
            yield return new FaultStep(
                at, device, act, random.Next(FaultType.All.Count), number, ForMs: random.Next(200, 3_000), Paths: random.Next(1, 4));
        }
    }

    private static IEnumerable<FaultStep> OfServers(Random random, int milliseconds)
    {
        for (long at = 1_500; at < milliseconds; at += random.Next(600, 3_500))
        {
            var act = random.Next(10) switch
            {
                < 3 => Act.KillSilo,
                < 6 => Act.PauseSilo,
                < 7 => Act.RestartStore,
                _ => Act.CutConnections,
            };
            yield return new FaultStep(at, -1, act, Number: random.Next(3), ForMs: random.Next(200, 4_000));
        }
    }
}
