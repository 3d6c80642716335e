using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>The connections of one user, as processes report them. A connection's device has the connection's name.</summary>
internal sealed class RosterStage : IDisposable
{
    public static readonly UserId User = new("ada");

    private readonly Dictionary<string, RecordingGateway> gateways = [];
    private readonly Turns turns = new();
    private readonly PlainNode node;

    public RosterStage(Quotas? quotas = null)
    {
        node = new PlainNode(null!, Clock, quotas, Local);
        Connections = new DeviceConnections(User, node.Silo);
    }

    public FakeClock Clock { get; } = new();

    /// <summary>The sockets of the coordinator's own process.</summary>
    public RecordingGateway Local { get; } = new();

    public string LocalProcess => node.Silo.Process.Name;

    public DeviceConnections Connections { get; }

    public RecordingGateway Gateway(string process) =>
        process == LocalProcess ? Local : gateways.TryGetValue(process, out var known) ? known : gateways[process] = new RecordingGateway();

    public static string SiloOf(string process) => "silo-of-" + process;

    public LiveConnection Connected(string id, bool isNew = false) => new(id, new DeviceId(id), Clock.NowMs, isNew);

    public Roster Roster(string process, long number, params LiveConnection[] connections) =>
        new(process, SiloOf(process), number, Gateway(process), [.. connections]);

    public Task<(bool IsKnown, List<string> Refused)> Report(Roster roster) => turns.Run(() => Connections.Take(roster).AsTask());

    public Task<(bool IsKnown, List<string> Refused)> Report(string process, long number, params string[] ids) =>
        Report(Roster(process, number, [.. ids.Select(id => Connected(id))]));

    public Task<(bool IsKnown, List<string> Refused)> Join(string process, long number, string joining, params string[] there) =>
        Report(Roster(process, number, [.. there.Select(id => Connected(id)), Connected(joining, isNew: true)]));

    public static List<string> Evicted(RecordingGateway gateway) => [.. gateway.News.SelectMany(news => news.Evicted ?? [])];

    public void Dispose() => node.Dispose();
}
