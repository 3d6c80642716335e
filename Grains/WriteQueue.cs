using System.Diagnostics;

namespace Mirubato.Grains;

/// <summary>Writes that wait for the next commit, bounded in number and bytes. Those that wait together share one.</summary>
internal sealed class WriteQueue(WritePipeline pipeline, CoordinatorContext silo, Action forget)
{
    private readonly Queue<QueuedWrite> waiting = [];
    private long bytes;
    private bool isRunning;

    public int Count => waiting.Count;

    /// <summary>The write's answer, once it is committed; <see cref="RequestRefusal.Busy"/> at once when more waits than may.</summary>
    public async ValueTask<WriteAnswer> Run(QueuedWrite write)
    {
        var isFull = waiting.Count >= Limits.QueuedWritesMax || (waiting.Count > 0 && bytes + write.Bytes > Limits.QueuedBytesMax);
        if (isFull) return WriteAnswer.Refuse(RequestRefusal.Busy);
        waiting.Enqueue(write);
        bytes += write.Bytes;
        if (!isRunning) _ = Drain();
        return await write.Answer;
    }

    /// <summary>Runs until nothing waits. A failure is the batch's own: what waits behind it starts from fresh heads.</summary>
    private async Task Drain()
    {
        isRunning = true;
        while (waiting.Count > 0)
        {
            var batch = TakeBatch();
            using var span = StartSpan(batch);
            try
            {
                await pipeline.Serve(batch);
            }
            catch (StoreUnavailableException fault)
            {
                span?.SetStatus(ActivityStatusCode.Error, fault.Reason);
                silo.Metrics.Faulted(fault.Reason);
                silo.Log.StoreFailed(fault.Reason, fault);
                if (fault.OutcomeUnknown) forget();
                foreach (var write in batch) write.Fail(fault);
            }
            catch (Exception bug)
            {
                span?.SetStatus(ActivityStatusCode.Error);
                silo.Log.CoordinatorBroke(bug);
                forget();
                foreach (var write in batch) write.Fail(bug);
            }
        }

        isRunning = false;
    }

    /// <summary>In the trace of the first request that has one; those that share the commit are linked.</summary>
    private static Activity? StartSpan(List<QueuedWrite> batch)
    {
        var span = Tracing.Start("commit", ActivityKind.Internal, [.. batch.Select(write => write.Trace)]);
        span?.SetTag("mirubato.requests", batch.Count);
        return span;
    }

    private List<QueuedWrite> TakeBatch()
    {
        var batch = new List<QueuedWrite>(Math.Min(waiting.Count, Limits.BatchRequestsMax));
        var rows = 0;
        while (batch.Count < Limits.BatchRequestsMax && waiting.TryPeek(out var next))
        {
            rows += next.Items.Count;
            if (batch.Count > 0 && rows > Limits.BatchRowsMax) break;
            batch.Add(waiting.Dequeue());
            bytes -= next.Bytes;
        }

        return batch;
    }
}
