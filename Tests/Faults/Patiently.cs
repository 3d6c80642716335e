using System.Diagnostics;

namespace Mirubato.Tests.Faults;

/// <summary>For what only another process knows: it is asked again and again.</summary>
internal static class Patiently
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(250);

    public static async Task<bool> Until(Func<bool> holds, TimeSpan patience)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Glance);
        while (!holds())
        {
            if (clock.Elapsed > patience) return false;
            await timer.WaitForNextTickAsync();
        }

        return true;
    }
}
