namespace Mirubato.Grains;

/// <summary>
/// The connections of one user in every process: the limit, who is live, and who is told. A process reports all of its connections at once,
/// and the higher number replaces the lower. Nothing of it is stored.
/// </summary>
internal sealed class DeviceConnections(UserId user, CoordinatorContext silo)
{
    private readonly List<ProcessConnections> processes = new(1);
    private (long NotBeforeMs, long Rights) announced = (0, -1);

    /// <summary>A commit is under way, and what the store said of the head meanwhile.</summary>
    private bool isCommitting;
    private SyncToken? headMeanwhile;

    /// <summary>Where the history stood when connections were last told.</summary>
    public SyncToken? Head { get; private set; }

    public RecentHeads RecentHeads { get; } = new();

    /// <summary>Rises whenever a connection comes or goes.</summary>
    public int Version { get; private set; }

    public bool IsEmpty => !processes.Exists(process => process.Connections.Count > 0);

    public int Count
    {
        get
        {
            RemoveSilent();
            return processes.Sum(process => process.Connections.Count);
        }
    }

    /// <summary>All of them, and how far each process says that it has sent them.</summary>
    public async ValueTask<List<ConnectionReport>> List()
    {
        var answers = await Task.WhenAll(processes.ConvertAll(process => process.Positions(user, silo.LocalGateway)));
        var positions = answers.SelectMany(answer => answer).ToLookup(one => one.ConnectionId, one => one.Seq);
        return
        [
            .. from process in processes
               from one in process.Connections
               let seq = positions[one.ConnectionId].FirstOrDefault()
               select new ConnectionReport(one.ConnectionId, one.Device, one.OpenedMs, process.Name, process.Silo, seq),
        ];
    }

    /// <summary>Other processes that get the announcements of this user.</summary>
    public int Observers => processes.Count(process => !process.IsLocal && process.Connections.Count > 0);

    public bool IsLive(DeviceId device)
    {
        RemoveSilent();
        return processes.Exists(process => process.Connections.Exists(one => one.Device == device));
    }

    /// <summary>
    /// Takes in a report. A new connection is admitted while there are fewer than allowed, or in the place of one that has been silent for
    /// long in any process; else it is refused.
    /// </summary>
    public async ValueTask<(bool IsKnown, List<string> Refused)> Take(Roster roster)
    {
        RemoveSilent();
        var process = processes.Find(one => one.Name == roster.Process);
        var isKnown = process is not null;
        if (process is null) processes.Add(process = Create(roster));
        process.RenewedMs = silo.NowMs;
        var refused = new List<string>();
        if (roster.Number > process.Number) await Replace(process, roster, refused);
        EvictNewest();
        return (isKnown, refused);
    }

    /// <summary>The rows of a commit, after it.</summary>
    public void Announce(Announcement announcement)
    {
        Head = announcement.Token;
        RecentHeads.Note(announcement.Token, silo.NowMs);
        if (!IsEmpty) Tell(new UserNews(user) { Announcement = announcement, Trace = Tracing.CurrentId });
    }

    /// <summary>
    /// A commit begins. A head that the store names before it ends may be the commit's own: told then, every socket would read from the
    /// store what the announcement is about to bring.
    /// </summary>
    public void BeginCommit() => isCommitting = true;

    /// <summary>The commit is over, and announced if it was stored. A head beyond it is another coordinator's, and is told now.</summary>
    public void EndCommit()
    {
        isCommitting = false;
        var head = headMeanwhile;
        headMeanwhile = null;
        if (head is { } seen) Follow(seen);
    }

    /// <summary>Tells what the store has confirmed, where it differs from what was told.</summary>
    public void Follow(UserState state)
    {
        var history = state.HistoryState;
        if (isCommitting && (Head is not { } head || head.Epoch == history.Epoch)) headMeanwhile = history.Token;
        else
        {
            // Of another epoch: what was seen before it means nothing any more.
            headMeanwhile = null;
            Follow(history.Token);
        }

        if (announced == (history.NotBeforeMs, history.Rights)) return;
        announced = (history.NotBeforeMs, history.Rights);
        if (history.NotBeforeMs > 0 || state.Revoked.Count > 0)
        {
            Tell(new UserNews(user) { NotBeforeMs = history.NotBeforeMs, Revoked = state.Revoked });
        }
    }

    public void Tell(UserNews news)
    {
        for (var i = processes.Count - 1; i >= 0; i--)
        {
            if (processes[i].Connections.Count > 0) processes[i].News.Tell(news);
        }
    }

    /// <summary>
    /// A process that has not reported for long is gone. The own process reports less often. One without connections is remembered as long,
    /// so that a report that comes late does not bring back what has left.
    /// </summary>
    public void RemoveSilent()
    {
        if (processes.Exists(IsSilent)) processes.FindAll(IsSilent).ForEach(Remove);
    }

    /// <summary>A silo was declared dead, and its process with it.</summary>
    public void RemoveSilo(string address) => processes.FindAll(process => process.Silo == address).ForEach(Remove);

    private void Follow(SyncToken head)
    {
        if (Head is { } known && known.Epoch == head.Epoch && known.Seq.IsAfter(head.Seq)) return;
        // Noted also if the head has not moved: else, at the first change after a long silence, the head of a minute ago is unknown.
        RecentHeads.Note(head, silo.NowMs);
        if (Head == head) return;
        Head = head;
        Tell(new UserNews(user) { Head = head });
    }

    private bool IsSilent(ProcessConnections process) =>
        silo.NowMs - process.RenewedMs >= (
            process.IsLocal && process.Connections.Count > 0 ? 3 * Limits.RosterRenewMs : Limits.RosterSilentMs);

    private ProcessConnections Create(Roster roster)
    {
        ProcessConnections? met = null;
        var isLocal = roster.Process == silo.Process.Name && silo.LocalGateway is not null;
        var news = new AnnouncementQueue(silo, roster.Observer, isLocal, () => Remove(met!));
        return met = new ProcessConnections(roster.Process, roster.Silo, roster.Observer, news) { IsLocal = isLocal };
    }

    private void Remove(ProcessConnections process)
    {
        if (!processes.Remove(process)) return;
        Version++;
        process.News.Drop();
    }

    private async ValueTask Replace(ProcessConnections process, Roster roster, List<string> refused)
    {
        Version++;
        process.Number = roster.Number;
        process.Connections = roster.Connections.FindAll(one => !one.IsNew);
        foreach (var added in roster.Connections.Where(one => one.IsNew))
        {
            // Bounded: a process that has not heard yet of an eviction names the same connection again.
            for (
                var asked = 0; Count >= silo.Quotas.ConnectionsMax
                    && asked < silo.Quotas.ConnectionsMax
                    && await EvictLongestSilent(); asked++) { }
            // A later report of the process has come meanwhile, and says more than this one.
            if (process.Number != roster.Number) return;
            Version++;
            if (Count < silo.Quotas.ConnectionsMax) process.Connections.Add(added with { IsNew = false });
            else refused.Add(added.ConnectionId);
        }
    }

    /// <summary>Asks every process. False when no connection has been silent for long enough.</summary>
    private async ValueTask<bool> EvictLongestSilent()
    {
        var asked = processes.FindAll(process => process.Connections.Count > 0);
        var answers = await Task.WhenAll(asked.Select(process => process.LongestSilent(user, silo.LocalGateway)));
        var longest = Enumerable.Range(0, asked.Count)
            .Where(i => answers[i] is not null)
            .OrderByDescending(i => answers[i]!.SilentMs)
            .Cast<int?>()
            .FirstOrDefault();
        if (longest is not { } at) return false;
        Evict(asked[at], answers[at]!.ConnectionId);
        return true;
    }

    /// <summary>A new activation does not know every connection at first; when more turn out than are allowed, the newest go.</summary>
    private void EvictNewest()
    {
        while (Count > silo.Quotas.ConnectionsMax)
        {
            var (process, newest) = processes.SelectMany(
                p => p.Connections.Select(c => (Process: p, Connection: c))).MaxBy(one => one.Connection.OpenedMs);
            Evict(process, newest.ConnectionId);
        }
    }

    private void Evict(ProcessConnections process, string connectionId)
    {
        Version++;
        process.Connections.RemoveAll(one => one.ConnectionId == connectionId);
        process.News.Tell(new UserNews(user) { Evicted = [connectionId] });
    }
}

/// <summary>What one process has reported of a user.</summary>
internal sealed class ProcessConnections(string name, string? silo, IGatewayObserver observer, AnnouncementQueue news)
{
    public string Name => name;

    public string? Silo => silo;

    public AnnouncementQueue News => news;

    public bool IsLocal { get; init; }

    public long Number { get; set; } = -1;

    public long RenewedMs { get; set; }

    public List<LiveConnection> Connections { get; set; } = [];

    /// <summary>A process that does not answer has none that could go.</summary>
    public Task<SilentConnection?> LongestSilent(UserId user, IGatewayObserver? local) =>
        Ask(local, sockets => sockets.LongestSilent(user), null);

    public Task<List<ConnectionPosition>> Positions(UserId user, IGatewayObserver? local) =>
        Ask(local, sockets => sockets.Positions(user), []);

    private async Task<T> Ask<T>(IGatewayObserver? local, Func<IGatewayObserver, Task<T>> ask, T silence)
    {
        try
        {
            return await ask(IsLocal ? local! : observer);
        }
        catch (Exception)
        {
            return silence;
        }
    }
}
