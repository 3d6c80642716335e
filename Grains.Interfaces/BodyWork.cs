namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Parsing and hashing of bodies. Large ones are worked on beside the caller's turns, and on a part of the processor's cores: what one user
/// sends then leaves a core for everybody's short requests.
/// </summary>
public static class BodyWork
{
    private static readonly TaskScheduler PartOfTheCores =
        new ConcurrentExclusiveSchedulerPair(
            TaskScheduler.Default, Math.Max(1, Environment.ProcessorCount / Limits.BodyCoreParts)).ConcurrentScheduler;

    /// <param name="bytes">How much the work reads; up to <see cref="Limits.InlineBodyBytesMax"/> it is done at once.</param>
    public static ValueTask<TResult> Run<TState, TResult>(int bytes, TState state, Func<TState, TResult> work) =>
        bytes <= Limits.InlineBodyBytesMax ? new(work(state)) : new(Start(state, work));

    private static Task<TResult> Start<TState, TResult>(TState state, Func<TState, TResult> work) =>
        Task.Factory.StartNew(() => work(state), CancellationToken.None, TaskCreationOptions.DenyChildAttach, PartOfTheCores);
}
