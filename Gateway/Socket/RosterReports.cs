namespace Mirubato.Gateway.Socket;

/// <summary>
/// Tells coordinators which connections their users have in this process: when one comes or goes, again and again, because activations come
/// and go, and at once when an activation ended or its silo died. What an activation that did not know this process may have left untold is
/// looked up in the store, of many users in one query.
/// </summary>
internal sealed class RosterReports : IDisposable
{
    private const int RetryMs = 1_000;

    private readonly UserGrains grains;
    private readonly IUserReader reader;
    private readonly UserSocketsRegistry sockets;
    private readonly ProcessIdentity process;
    private readonly SocketContext context;
    private readonly Lazy<IGatewayObserver> observer;
    private readonly SemaphoreSlim atOnce = new(Limits.RosterReportsAtOnceMax);
    private readonly HashSet<UserSockets> unknown = [];
    private bool isComparing;
    private long number;

    public RosterReports(
        UserGrains grains, IGrainFactory factory, IUserReader reader, UserSocketsRegistry sockets, ProcessIdentity process,
        SocketContext context)
    {
        (this.grains, this.reader, this.sockets, this.process, this.context) = (grains, reader, sockets, process, context);
        observer = new Lazy<IGatewayObserver>(() => factory.CreateObjectReference<IGatewayObserver>(sockets));
        sockets.Ticked += Renew;
    }

    /// <summary>Asks the user's coordinator to admit a connection.</summary>
    /// <exception cref="StoreUnavailableException">The coordinator cannot be reached.</exception>
    public Task<RosterReply> Admit(UserSockets of) => UserCoordinator.Reach(() => Report(of), CancellationToken.None);

    /// <summary>
    /// A connection has gone. A report that fails is sent again; after a minute the coordinator forgets a silent process by itself. The
    /// caller holds the user's sockets until then, so that a connection that comes meanwhile is in the same reports.
    /// </summary>
    public async Task Leave(UserSockets of)
    {
        var givenUpMs = context.NowMs + Limits.RosterSilentMs;
        while (!await TryReport(of) && context.NowMs < givenUpMs) await Task.Delay(TimeSpan.FromMilliseconds(RetryMs), context.Time);
    }

    /// <summary>A silo was declared dead: the activations that were there need a new report, wherever they are now.</summary>
    public void RemoveSilo(string address)
    {
        foreach (var one in sockets.All().Where(one => one.Roster.Silo == address)) one.Roster.DueMs = 0;
    }

    public void Dispose()
    {
        sockets.Ticked -= Renew;
        atOnce.Dispose();
    }

    private void Renew(List<UserSockets> all, long nowMs)
    {
        foreach (var one in all)
        {
            if (one.Roster.DueMs <= nowMs) TryReport(one).Ignore();
        }
    }

    private async Task<bool> TryReport(UserSockets of)
    {
        of.Roster.DueMs = context.NowMs + Limits.RosterRenewElsewhereMs;
        await atOnce.WaitAsync();
        try
        {
            await Report(of);
            return true;
        }
        catch (Exception failure)
        {
            Log.RosterNotReported(context.Log, failure);
            of.Roster.DueMs = context.NowMs + RetryMs;
            return false;
        }
        finally
        {
            atOnce.Release();
        }
    }

    private async Task<RosterReply> Report(UserSockets of)
    {
        var hadSessions = of.HasSessions;
        var reply = await of.Roster.Report(connections => grains.For<IUserConnectionsGrain>(of.User).Report(
            new Roster(process.Name, process.Silo, Interlocked.Increment(ref number), observer.Value, connections)));
        // Reports that came together, after a restart for instance, drift apart.
        var renewMs = reply.Silo == process.Silo ? Limits.RosterRenewMs : Limits.RosterRenewElsewhereMs;
        of.Roster.DueMs = context.NowMs + (long)(renewMs * (0.75 + (Random.Shared.NextDouble() / 4)));
        if (!reply.IsKnown && hadSessions) Compare(of);
        return reply;
    }

    /// <summary>The activation may have missed something that these sockets should have heard.</summary>
    private void Compare(UserSockets of)
    {
        lock (unknown)
        {
            unknown.Add(of);
            if (isComparing) return;
            isComparing = true;
        }

        CompareAll().Ignore();
    }

    private async Task CompareAll()
    {
        while (TakeUnknown() is { Count: > 0 } some)
        {
            try
            {
                var states = await reader.States([.. some.Select(one => one.User)], CancellationToken.None);
                foreach (var one in some)
                {
                    if (states.TryGetValue(one.User, out var state)) one.Follow(state);
                }
            }
            catch (Exception away)
            {
                Log.RosterNotReported(context.Log, away);
                lock (unknown) unknown.UnionWith(some);
                await Task.Delay(TimeSpan.FromMilliseconds(RetryMs), context.Time);
            }
        }
    }

    private List<UserSockets> TakeUnknown()
    {
        lock (unknown)
        {
            var taken = unknown.Take(Limits.ConfirmUsersMax).ToList();
            unknown.ExceptWith(taken);
            isComparing = taken.Count > 0;
            return taken;
        }
    }
}
