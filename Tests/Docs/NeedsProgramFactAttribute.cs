namespace Mirubato.Tests.Docs;

/// <summary>A test that is skipped where a program is not installed; the reason names it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsProgramFactAttribute : FactAttribute
{
    private static readonly string[] AlsoIn = ["/usr/sbin", "/usr/bin"];

    public NeedsProgramFactAttribute(string program)
    {
        if (Find(program) is null) Skip = $"{program} is not installed; with it this test runs.";
    }

    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(AlsoIn)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
