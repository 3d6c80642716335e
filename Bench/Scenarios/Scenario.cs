using System.Text.Json;

namespace Mirubato.Bench.Scenarios;

/// <summary>One thing to measure.</summary>
/// <param name="Name">As in --only and in the JSON: stable, so that runs of different days compare.</param>
/// <param name="What">For people.</param>
/// <param name="Prepare">Brings one user into the state the scenario starts from, and returns the request to repeat.</param>
/// <param name="Expect">What every answer has to be.</param>
internal sealed record Scenario(
    string Name, string What, Func<ScenarioUser, Task<RequestTemplate>> Prepare, Expectation Expect)
{
    /// <summary>True for the heavy ones: sent one at a time and reported as milliseconds each.</summary>
    public bool OneAtATime { get; init; }

    /// <summary>Where preparing a user is expensive, fewer of them do.</summary>
    public int UsersMax { get; init; } = int.MaxValue;
}

/// <summary>What an answer has to be. Everything but <paramref name="Check"/> is cheap enough for every answer.</summary>
/// <param name="Status">The only right status.</param>
/// <param name="Check">Reads the first answer's body in full and says what is wrong with it, or null.</param>
internal sealed record Expectation(int Status, Func<JsonElement, string?>? Check = null)
{
    /// <summary>The answer must be the stored one of an idempotency key, or must not be.</summary>
    public bool Replayed { get; init; }

    /// <summary>Something the start of every body contains.</summary>
    public string? Contains { get; init; }

    public int BodyBytesMin { get; init; }
}
