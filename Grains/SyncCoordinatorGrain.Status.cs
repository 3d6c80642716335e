namespace Mirubato.Grains;

/// <summary>What the coordinator reports of the user.</summary>
internal sealed partial class SyncCoordinatorGrain
{
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
        return new StatusReport(history, known.Devices, connections.Count, new Dictionary<string, int>(ledger.LiveByType));
    });

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
}
