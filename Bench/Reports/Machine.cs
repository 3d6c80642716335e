using System.Runtime.InteropServices;

namespace Mirubato.Bench.Reports;

/// <summary>Where figures were taken. They mean little without it.</summary>
internal sealed record Machine(int Cores, string Os, string Runtime, long MemoryMiB)
{
    public static Machine This() => new(
        Environment.ProcessorCount,
        $"{RuntimeInformation.OSDescription} ({RuntimeInformation.OSArchitecture})",
        RuntimeInformation.FrameworkDescription,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20);

    public override string ToString() => $"{Cores} cores, {MemoryMiB >> 10} GiB, {Os}, {Runtime}";
}
