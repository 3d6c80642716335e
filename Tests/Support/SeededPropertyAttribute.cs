using FsCheck.Xunit;

namespace Mirubato.Tests.Support;

/// <summary>
/// A random test of the values that are its parameters. A failure prints its seed and the values, shrunk; <c>MIRUBATO_SEED=a,b,size</c>
/// runs exactly those again.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SeededPropertyAttribute : PropertyAttribute
{
    public SeededPropertyAttribute(int runs)
    {
        (MaxTest, QuietOnSuccess) = (runs, true);
        if (Environment.GetEnvironmentVariable("MIRUBATO_SEED") is { } seed && seed.Contains(',', StringComparison.Ordinal))
        {
            (MaxTest, Replay) = (1, seed);
        }
    }
}
