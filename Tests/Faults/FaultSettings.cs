using System.Globalization;

namespace Mirubato.Tests.Faults;

/// <summary>
/// <c>MIRUBATO_SEED</c> plays a schedule again, <c>MIRUBATO_FAULT_SECONDS</c> says how long one is, <c>MIRUBATO_FAULT_STEPS</c> cuts it
/// after so many steps and <c>MIRUBATO_FAULT_WITHOUT</c> leaves kinds of steps out (see <see cref="Act"/>), to find the few that matter.
/// <c>MIRUBATO_ABUSE_ONLY</c> names the acts of <see cref="Abuse"/> that are played, parted by commas.
/// </summary>
internal static class FaultSettings
{
    private const int ShortSeconds = 10;

    public static int Seed => Number("MIRUBATO_SEED") ?? Random.Shared.Next();

    /// <summary>The long form: <c>./test --faults</c>.</summary>
    public static bool IsLong => Number("MIRUBATO_FAULT_SECONDS") is not null;

    public static int Seconds => Number("MIRUBATO_FAULT_SECONDS") ?? ShortSeconds;

    public static int StepsMost => Number("MIRUBATO_FAULT_STEPS") ?? int.MaxValue;

    public static HashSet<Act> Without =>
        [.. Text("MIRUBATO_FAULT_WITHOUT").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Enum.Parse<Act>)];

    public static bool Plays(string abuse) => Text("MIRUBATO_ABUSE_ONLY") is var only && (only.Length == 0 || only.Split(',').Contains(abuse));

    // Other random tests take three numbers for a seed; these take the first.
    private static int? Number(string variable) =>
        int.TryParse(Text(variable).Trim('(', ')').Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static string Text(string variable) => Environment.GetEnvironmentVariable(variable) ?? "";
}
