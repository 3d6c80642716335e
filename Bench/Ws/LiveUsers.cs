using System.Diagnostics;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>
/// Users of one phase, each with its devices, all of them live. Another phase has another: nothing of one is left in the next.
/// </summary>
internal sealed class LiveUsers : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(2);

    private LiveUsers(IReadOnlyList<IReadOnlyList<Device>> users) => Users = users;

    public IReadOnlyList<IReadOnlyList<Device>> Users { get; }

    public IEnumerable<Device> Devices => Users.SelectMany(devices => devices);

    public long Acked => Devices.Sum(device => device.Acked);

    public long Received => Devices.Sum(device => device.Received);

    /// <param name="name">Part of the users' names.</param>
    /// <param name="users">How many.</param>
    /// <param name="devices">Of each. The first is on the first gateway, the others on the second, where there is one.</param>
    /// <param name="notesBytes">To make the entries so much larger.</param>
    public static async Task<LiveUsers> Open(
        WsOptions options, string name, int users, int devices, EventLog log, CancellationToken cancel, int notesBytes = 0)
    {
        var entries = new EntryText(options.Run, options.Seed);
        var live = new LiveUsers([.. Enumerable.Range(0, users).Select(user =>
        {
            var identity = options.Identify($"{name}_{user:D4}");
            return Enumerable.Range(0, devices).Select(place => new Device(
                UpgradeRequest.Create(place == 0 ? options.Target : options.Second ?? options.Target, identity),
                log, EntryEvent.Template(entries, options.Run, place, notesBytes))).ToList();
        })]);
        try
        {
            foreach (var device in live.Devices)
            {
                // The last one of a user is the one that may stall, and is to be noticed when it does.
                await device.Open(cancel, notesBytes > 0 && device == live.Users[0][^1] ? 4096 : 0);
                await device.Sync(0, cancel);
            }
            return live;
        }
        catch
        {
            live.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Until every device has received all that the others of its user sent, and every acknowledgement, or it takes too long.
    /// </summary>
    public async Task Settle(CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Patience && !Users.All(IsComplete) && Devices.All(device => device.Fault is null))
            await Task.Delay(LookEvery, cancel);
    }

    /// <summary>
    /// Adds up what is wrong: whatever is missing, came twice or out of order, and whoever is not where its user's history ends.
    /// </summary>
    public void Check(Tally into)
    {
        foreach (var devices in Users)
        {
            var sent = devices.Sum(device => device.Sent);
            var head = devices.Max(device => device.Cursor);
            foreach (var device in devices)
            {
                if (device.Fault is { } fault)
                    into.Fail(fault);
                else if (device.Received != sent - device.Sent || device.Acked != device.Sent)
                    into.Fail(
                        $"A device received {device.Received} of {sent - device.Sent} events, and {device.Acked} acknowledgements of "
                        + $"{device.Sent}.");
                else if (device.Cursor != head || head < sent)
                    into.Fail($"A device is at {device.Cursor}, another at {head}, after {sent} events.");
            }
        }
    }

    public void Dispose()
    {
        foreach (var device in Devices)
            device.Dispose();
    }

    private static bool IsComplete(IReadOnlyList<Device> devices)
    {
        var sent = devices.Sum(device => device.Sent);
        return devices.All(device => device.Received >= sent - device.Sent && device.Acked >= device.Sent);
    }
}
