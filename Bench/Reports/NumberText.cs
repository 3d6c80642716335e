using System.Globalization;

namespace Mirubato.Bench.Reports;

/// <summary>Figures as people read them: about three digits that count, the same in every culture.</summary>
internal static class NumberText
{
    public static string Short(double value) => value.ToString(
        value switch { >= 100 => "N0", >= 10 => "N1", _ => "N2" }, CultureInfo.InvariantCulture);

    public static string Whole(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Ratio(double a, double b) => a > 0 ? $"{(b / a).ToString("0.00", CultureInfo.InvariantCulture)}x" : "-";
}
