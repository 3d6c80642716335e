namespace Mirubato.Tests.Faults;

/// <summary>
/// Wakes the tasks that wait for a change. Take <see cref="Next"/> before looking, so that nothing is missed in between.
/// </summary>
internal sealed class Bell
{
    private TaskCompletionSource rung = Fresh();

    public Task Next => Volatile.Read(ref rung).Task;

    public void Ring() => Interlocked.Exchange(ref rung, Fresh()).TrySetResult();

    public async Task Until(Func<bool> holds, TimeSpan patience, Func<string> otherwise)
    {
        using var over = new CancellationTokenSource(patience);
        while (true)
        {
            var next = Next;
            if (holds()) return;
            try
            {
                await next.WaitAsync(over.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException(otherwise());
            }
        }
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
