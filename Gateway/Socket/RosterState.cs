namespace Mirubato.Gateway.Socket;

/// <summary>A connection that asks to be admitted, or was admitted and is being opened.</summary>
internal sealed class Reservation(LiveConnection connection)
{
    public LiveConnection Connection => connection;

    public bool IsAdmitted { get; set; }
}

/// <summary>
/// What is reported of one user's connections: one report at a time, each with all of them. What changes while one is on its way is in the
/// next one, which everybody who asks meanwhile waits for.
/// </summary>
internal sealed class RosterState
{
    private readonly Lock gate = new();
    private readonly List<Reservation> reservations = new(1);
    private TaskCompletionSource<RosterReply>? next;
    private bool isReporting;

    /// <summary>When it is to be reported again, Unix ms.</summary>
    public long DueMs { get; set; } = long.MaxValue;

    /// <summary>Where the coordinator that took the last report runs.</summary>
    public string? Silo { get; private set; }

    public Reservation Reserve(LiveConnection connection)
    {
        var reservation = new Reservation(connection);
        lock (gate) reservations.Add(reservation);
        return reservation;
    }

    public void Remove(Reservation reservation)
    {
        lock (gate) reservations.Remove(reservation);
    }

    /// <summary>A report that holds everything of now.</summary>
    public Task<RosterReply> Report(Func<List<LiveConnection>, Task<RosterReply>> send)
    {
        TaskCompletionSource<RosterReply> mine;
        lock (gate)
        {
            if (isReporting) return (next ??= Fresh()).Task;
            isReporting = true;
            mine = Fresh();
        }

        _ = Run(mine, send);
        return mine.Task;
    }

    private async Task Run(TaskCompletionSource<RosterReply>? asked, Func<List<LiveConnection>, Task<RosterReply>> send)
    {
        for (; asked is not null; asked = TakeNext())
        {
            var connections = Snapshot();
            try
            {
                var reply = await send(connections);
                Silo = reply.Silo;
                Admit(connections, reply.Refused);
                asked.SetResult(reply);
            }
            catch (Exception failure)
            {
                asked.SetException(failure);
                asked.Task.Ignore();
            }
        }
    }

    private List<LiveConnection> Snapshot()
    {
        lock (gate) return [.. reservations.Select(one => one.IsAdmitted ? one.Connection : one.Connection with { IsNew = true })];
    }

    private void Admit(List<LiveConnection> reported, List<string> refused)
    {
        lock (gate)
        {
            foreach (var one in reservations)
            {
                if (!one.IsAdmitted
                    && !refused.Contains(one.Connection.ConnectionId)
                    && reported.Exists(told => told.ConnectionId == one.Connection.ConnectionId))
                {
                    one.IsAdmitted = true;
                }
            }
        }
    }

    private TaskCompletionSource<RosterReply>? TakeNext()
    {
        lock (gate)
        {
            var taken = next;
            next = null;
            isReporting = taken is not null;
            return taken;
        }
    }

    private static TaskCompletionSource<RosterReply> Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
