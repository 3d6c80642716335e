namespace Mirubato.Grains;

/// <summary>What the coordinator reports of the user.</summary>
internal sealed partial class SyncCoordinatorGrain
{
    private volatile LastStatus? lastStatus;

    /// <summary>The caller is an operator: it has no token that could be signed out, and no device.</summary>
    private Caller Operator => new(user, Device: null, TokenIssuedAtMs: long.MaxValue);

    public Task<Reply<HistoryState>> HistoryState(Caller caller) => Answer(async () =>
    {
        await See(caller);
        return await Judge(caller);
    });

    public Task<Reply<StatusReport>> Status(Caller caller) => Answer(async () =>
    {
        await See(caller);
        var known = await Confirm(confirmed.Counted);
        var history = await Judge(caller);
        if (history.Refusal(caller) is not RequestRefusal.None) return new StatusReport(history, 0, 0, []);
        var ledger = await LedgerAt(caller, history);
        var report = new StatusReport(history, known.Devices, connections.Count, new Dictionary<string, int>(ledger.LiveByType));
        if (ReferenceEquals(history, known.HistoryState)) lastStatus = new LastStatus(known, connections.Version, report);
        return report;
    });

    /// <summary>
    /// The last report, outside the turns, if nothing of it has changed since and the store confirmed recently that this caller has access.
    /// Null: only a call can say.
    /// </summary>
    public StatusReport? FindStatus(Caller caller)
    {
        UsedMs = silo.NowMs;
        return lastStatus is { } last && last.IsOf(confirmed.RecentlyCounted, connections.Version) && HasAccess(last.Known, caller)
            ? last.Report
            : null;
    }

    public Task<Reply<List<DeviceReport>>> Devices() => Answer(KnownDevices);

    public Task<Reply<UserReport>> Inspect() => Answer(async () =>
    {
        var history = (await Confirm(confirmed.Ask)).HistoryState;
        var ledger = await LedgerAt(Operator, history);
        var counts = new EntityCounts(
            ledger.Tally.Live, ledger.Tally.Tombstones, ledger.Tally.Bytes, new Dictionary<string, int>(ledger.LiveByType));
        var (devices, open) = (await KnownDevices(), await connections.List());
        var sent = open.ToLookup(one => one.Device, one => one.Seq);
        devices = devices.ConvertAll(one => one with { LastSeq = sent[one.Device].Append(one.LastSeq).Max() });
        return new UserReport(history, counts, devices, open, silo.Address);
    });

    private async ValueTask<List<DeviceReport>> KnownDevices()
    {
        await silo.Devices.Flush(user, NoCancellation);
        var devices = await silo.Store.Devices(user, NoCancellation);
        return devices.ConvertAll(device => device with { Live = connections.IsLive(device.Device) });
    }

    /// <summary>A report, and what it was made of.</summary>
    private sealed record LastStatus(UserState Known, int ConnectionsVersion, StatusReport Report)
    {
        public bool IsOf(UserState? known, int connectionsVersion) =>
            ReferenceEquals(Known, known) && ConnectionsVersion == connectionsVersion;
    }
}
