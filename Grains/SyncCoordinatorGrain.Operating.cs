namespace Mirubato.Grains;

/// <summary>What operators see of a user, and do.</summary>
internal sealed partial class SyncCoordinatorGrain
{
    /// <summary>Who looks here has no token that could be signed out, and no device.</summary>
    private Caller Operator => new(user, Device: null, TokenIssuedAtMs: long.MaxValue);

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

    public Task<Reply<HistoryState>> Resync() => Answer(async () =>
    {
        confirmed.Invalidate();
        await silo.Store.BumpEpoch(user, NoCancellation);
        confirmed.Invalidate();
        StartOver();
        return (await Confirm(confirmed.Ask)).HistoryState;
    });

    public Task<Reply<int>> Disconnect() => Answer(() =>
    {
        var open = connections.Count;
        connections.Tell(new UserNews(user) { Disconnected = true });
        return ValueTask.FromResult(open);
    });

    private async ValueTask<List<DeviceReport>> KnownDevices()
    {
        await silo.Devices.Flush(user, NoCancellation);
        var devices = await silo.Store.Devices(user, NoCancellation);
        return devices.ConvertAll(device => device with { Live = connections.IsLive(device.Device) });
    }
}
