namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Unpacking, parsing, hashing and deciding. Large bodies are worked on beside the caller's turns, and on a part of the processor's cores:
/// what one user sends then leaves a core for everybody's short requests.
/// </summary>
public static class BodyWork
{
    private static readonly TaskScheduler PartOfTheCores =
        new ConcurrentExclusiveSchedulerPair(
            TaskScheduler.Default, Math.Max(1, Environment.ProcessorCount / Limits.BodyCoreParts)).ConcurrentScheduler;

    /// <param name="bytes">How much the work reads; up to <see cref="Limits.InlineBodyBytesMax"/> it is done at once.</param>
    public static ValueTask<TResult> Run<TState, TResult>(int bytes, TState state, Func<TState, TResult> work) =>
        bytes <= Limits.InlineBodyBytesMax ? new(work(state)) : new(Start(state, work));

    /// <summary>The same for work that waits in between, for the network or the store: all that comes after stays on that part.</summary>
    public static ValueTask<TResult> RunAsync<TState, TResult>(long bytes, TState state, Func<TState, ValueTask<TResult>> work) =>
        bytes <= Limits.InlineBodyBytesMax ? work(state) : new(Start(state, s => work(s).AsTask()).Unwrap());

    private static Task<TResult> Start<TState, TResult>(TState state, Func<TState, TResult> work) =>
        Task.Factory.StartNew(() => work(state), CancellationToken.None, TaskCreationOptions.DenyChildAttach, PartOfTheCores);
}
