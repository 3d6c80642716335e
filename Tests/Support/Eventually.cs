using System.Runtime.CompilerServices;

namespace Mirubato.Tests.Support;

/// <summary>
/// For what the product does behind an answer, with nothing to await: it is asked again until it holds. A guard that is gone then fails a
/// test, where a loop without end would hang the whole run.
/// </summary>
internal static class Eventually
{
    /// <summary>For a slow machine; a test that passes never waits for it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Task Holds(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string said = "") =>
        Holds(() => Task.FromResult(condition()), said);

    public static async Task Holds(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string said = "")
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > Patience) Assert.Fail($"After {Patience.TotalSeconds} s this is not so: {said}");
            await Task.Yield();
        }
    }
}
