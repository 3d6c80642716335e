namespace Mirubato.Grains.Storage.Sqlite;

/// <summary>A write that waits for the writer. Its caller gets the answer after the COMMIT.</summary>
internal abstract class SqliteWrite
{
    /// <summary>True if the caller gave up before the write began: its call is cancelled and nothing is written.</summary>
    public abstract bool TryCancel();

    public abstract void Run(SqliteSession session);

    public abstract void Answered();

    /// <summary>The caller gets the first failure.</summary>
    public abstract void Failed(Exception e);
}

internal sealed class SqliteWrite<T>(Func<SqliteSession, T> work, CancellationToken cancel) : SqliteWrite
{
    private readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T result = default!;

    public Task<T> Answer => answer.Task;

    public override bool TryCancel() => cancel.IsCancellationRequested && answer.TrySetCanceled(cancel);

    public override void Run(SqliteSession session) => result = work(session);

    public override void Answered() => answer.TrySetResult(result);

    public override void Failed(Exception e) => answer.TrySetException(e);
}
