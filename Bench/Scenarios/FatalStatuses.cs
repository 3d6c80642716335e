namespace Mirubato.Bench.Scenarios;

/// <summary>The statuses after which no figure means anything.</summary>
internal static class FatalStatuses
{
    public static void Throw(int status)
    {
        if (status == 401)
            throw BenchFailure.TokenRefused();
        if (status == 429)
            throw BenchFailure.RateLimited();
    }
}
