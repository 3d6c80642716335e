using Microsoft.Extensions.Time.Testing;

namespace Mirubato.Tests.Support;

/// <summary>
/// A clock that stands still until a test moves it, in Unix milliseconds. <c>AdjustTime</c> sets it back, and fires no timer.
/// </summary>
internal sealed class FakeClock(long nowMs = FakeClock.StartMs) : FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(nowMs))
{
    public const long StartMs = 1_800_000_000_000;

    public long NowMs => GetUtcNow().ToUnixTimeMilliseconds();
}
