namespace Mirubato.Bench;

/// <summary>Why a run cannot go on, in a sentence that names the remedy. Shown without a stack trace.</summary>
internal sealed class BenchFailure(string message) : Exception(message)
{
    public static BenchFailure TokenRefused() => new(
        "The server refuses the token (401). --secret has to be the server's own Auth__Secret.");

    public static BenchFailure RateLimited() => new(
        "The server limits the rate (429), so the figures would be those of the limiter. "
        + "Raise Limits__RequestsPerSecond and Limits__RequestBurst (environment variables of the server) and start it again.");

    public static BenchFailure NotReachable(Uri url, string reason) => new(
        $"No server answers at {url} ({reason}). Start one with ./run, or name another with --url.");
}
