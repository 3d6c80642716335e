using Microsoft.Extensions.DependencyInjection;
using Mirubato.Gateway.Socket;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Gateway;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

/// <summary>
/// The whole server over a store in a file, at a time that the test turns on. Pings of the protocol run by the machine's clock.
/// </summary>
internal sealed class Stage : IAsyncDisposable
{
    public const string User = "ada";

    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-time-").FullName;
    private readonly List<IAsyncDisposable> open = [];
    private readonly List<SocketClient> sockets = [];

    /// <summary>It starts now: tokens are judged by the machine's clock where they come in.</summary>
    public FakeClock Clock { get; } = new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    public LiveServer Server { get; private set; } = null!;

    public string Setting => $"--Storage:SqlitePath={Path.Combine(directory, "time.db")}";

    public IReadOnlyList<SocketSession> Sessions =>
        [.. Server.Services.GetRequiredService<UserSocketsRegistry>().Sessions().Where(session => session.IsOpen)];

    public static async Task<Stage> Start(PingTimes? pings = null)
    {
        var stage = new Stage();
        stage.Server = await LiveServer.StartWith(services =>
        {
            services.AddKeyedSingleton<TimeProvider>(ServerClock.Key, stage.Clock);
            if (pings is not null) services.AddSingleton(pings);
        }, stage.Setting);
        return stage;
    }

    public HttpDevice Http(string? device = "laptop")
    {
        var http = Server.Device(User, device);
        return http;
    }

    public async Task<SocketClient> Open(string? token = null, string? query = null)
    {
        var socket = await SocketClient.Open(Server.Url, User, query ?? $"userId={User}&token={token ?? Edge.Token(User)}");
        open.Add(socket);
        sockets.Add(socket);
        await socket.Next("WELCOME");
        return socket;
    }

    public async Task<SocketClient> Live()
    {
        var socket = await Open();
        await socket.Sync();
        return socket;
    }

    /// <summary>Turns the clock on, in steps that let the server's own loops follow, and has those who are named speak at each.</summary>
    public async Task Pass(int seconds, params SocketClient[] pinging)
    {
        for (; seconds > 0; seconds -= 20)
        {
            Clock.Advance(TimeSpan.FromSeconds(Math.Min(seconds, 20)));
            foreach (var socket in pinging) await socket.Settle();
        }
    }

    /// <summary>
    /// Turns the clock on by a second at a time, and stops when so many sessions are left open. A step past that might cut off a session
    /// that closes before its last frame is written: it has five seconds by this clock.
    /// </summary>
    public async Task PassUntilOpen(int count, int secondsMax, params SocketClient[] pinging)
    {
        for (; secondsMax > 0 && Sessions.Count > count; secondsMax--) await Pass(1, pinging);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var socket in sockets) Assert.Empty(socket.Faults);
        foreach (var one in open) await one.DisposeAsync();
        await Server.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
