using System.Net;
using System.Net.Sockets;
using System.Text;
using Mirubato.Bench;
using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Scenarios;

namespace Mirubato.Tests.Bench;

/// <summary>The loop against a listener that gives one and the same answer to everything.</summary>
public sealed class ClosedLoopTests
{
    private const string Status = """{"syncToken":"x","entityCount":10}""";
    private static readonly Scenario Scenario = new(
        "status", "status", user => Task.FromResult(user.Status()), new(200) { Contains = "\"syncToken\"" });

    [Fact]
    public async Task Right_answers_are_counted_and_timed()
    {
        var figures = await Run(_ => Answer("200 OK", Status));

        Assert.Equal(0, figures.Errors);
        Assert.True(figures.Requests >= 3);
        Assert.InRange(figures.P50Ms, double.Epsilon, figures.MaxMs);
    }

    [Fact]
    public async Task A_wrong_status_is_an_error_and_the_first_ones_text_is_kept()
    {
        var figures = await Run(request => request == 1 ? Answer("200 OK", Status) : Answer("500 Oops", "it broke"));

        Assert.Equal(figures.Requests, figures.Errors);
        Assert.Equal("HTTP 500 instead of 200: it broke", figures.FirstError);
        Assert.Equal(0, figures.PerSecond);
    }

    [Fact]
    public async Task A_limited_rate_ends_the_run_and_names_the_settings()
    {
        var failure = await Assert.ThrowsAsync<BenchFailure>(
            () => Run(request => request < 3 ? Answer("200 OK", Status) : Answer("429 Slow", "")));

        Assert.Contains("Limits__RequestsPerSecond", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Limits__RequestBurst", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_token_ends_the_run() =>
        Assert.Contains(
            "401", (await Assert.ThrowsAsync<BenchFailure>(() => Run(_ => Answer("401 No", "")))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_first_answer_of_another_shape_ends_the_run() =>
        await Assert.ThrowsAsync<BenchFailure>(() => Run(_ => Answer("200 OK", "{}")));

    [Fact]
    public async Task A_server_that_hangs_up_is_an_error_of_each_worker_not_an_endless_loop()
    {
        var figures = await Run(request => request == 1 ? Answer("200 OK", Status) : null);

        Assert.InRange(figures.Errors, 3, 15); // Three workers, each giving up after five in a row.
        Assert.StartsWith("Connection:", figures.FirstError, StringComparison.Ordinal);
    }

    private static string Answer(string status, string body) => $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    private static async Task<Figures> Run(Func<int, string?> answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var over = new CancellationTokenSource();
        var serving = Serve(listener, answer, over.Token);
        var target = Target.Parse($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}", allowRemote: false);
        var options = new HttpOptions(
            target, new string('s', 32), 2, 3, TimeSpan.FromMilliseconds(100), TimeSpan.Zero)
        { Seed = 1, Run = "test" };
        try
        {
            return await new ClosedLoop(options, Scenario, TimeProvider.System).Run(_ => { }, CancellationToken.None);
        }
        finally
        {
            await over.CancelAsync();
            await serving;
        }
    }

    private static async Task Serve(TcpListener listener, Func<int, string?> answer, CancellationToken over)
    {
        var requests = new StrongBox();
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(Serve(await listener.AcceptSocketAsync(over), answer, requests, over));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private static async Task Serve(Socket socket, Func<int, string?> answer, StrongBox requests, CancellationToken over)
    {
        using var _ = socket;
        var buffer = new byte[4096]; // The loop sends one small request and waits: one read is one request.
        try
        {
            while (await socket.ReceiveAsync(buffer, over) > 0 && answer(Interlocked.Increment(ref requests.Count)) is { } text)
                await socket.SendAsync(Encoding.ASCII.GetBytes(text), over);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private sealed class StrongBox
    {
        public int Count;
    }
}
