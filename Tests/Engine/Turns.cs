namespace Mirubato.Tests.Engine;

/// <summary>
/// The turns of a coordinator whose parts a test calls by themselves: one at a time, and what an await waited for goes on at once.
/// </summary>
internal sealed class Turns
{
    private readonly TaskScheduler scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;

    public Task<T> Run<T>(Func<Task<T>> call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap();

    public Task Run(Func<Task> call) => Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap();

    public Task Run(Action call) => Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.None, scheduler);
}
