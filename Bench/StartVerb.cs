using System.CommandLine;
using System.Diagnostics;
using System.Net.Sockets;
using Mirubato.Bench.Http;
using Mirubato.Bench.Load;
using Mirubato.Bench.Reports;
using Mirubato.Bench.Scenarios;
using Mirubato.Bench.Ws;

namespace Mirubato.Bench;

/// <summary><c>bench start server.dll</c>: from the start of a process to its first answered push, on SQLite in an empty folder.</summary>
internal static class StartVerb
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(20);
    private static readonly Argument<FileInfo> Program = new("program") { Description = "The server, a .dll for dotnet or a program." };
    private static readonly Option<int> Times = LoadVerb.Whole("--times", "How often.", 5, 1, 100);

    public static Command Create()
    {
        var verb = new Command("start", "Start a server and measure the time, CPU time and memory until its first push is answered.")
        {
            Program, Times,
        };
        verb.SetAction(async (parsed, cancel) =>
        {
            var figures = new List<Start>();
            try
            {
                for (var time = 0; time < parsed.GetValue(Times); time++)
                {
                    figures.Add(await Measure(parsed.GetRequiredValue(Program), cancel));
                    Screen.Say(figures[^1].ToString());
                }
            }
            catch (BenchFailure failure)
            {
                Screen.Error(failure.Message);
                return 1;
            }

            var median = new Start(Middle(figure => figure.Seconds), Middle(figure => figure.CpuSeconds), Middle(figure => figure.MiB));
            Screen.Say($"median: {median}");
            return 0;

            double Middle(Func<Start, double> value) => Medians.MiddleOf(figures.Select(value));
        });
        return verb;
    }

    private static async Task<Start> Measure(FileInfo program, CancellationToken cancel)
    {
        const string Secret = "a secret of the start verb, 32 bytes or longer";
        var folder = Directory.CreateTempSubdirectory("mirubato-bench-");
        var target = Target.Parse($"http://127.0.0.1:{FreePort.Next()}", allowRemote: false);
        var isLibrary = program.Extension == ".dll";
        var start = new ProcessStartInfo(isLibrary ? "dotnet" : program.FullName)
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["Auth__Secret"] = Secret,
                ["Cors__Origins__0"] = "https://bench.invalid",
                ["DOTNET_ENVIRONMENT"] = "Production",
                ["Urls"] = target.Url.ToString(),
            },
        };
        if (isLibrary)
            start.ArgumentList.Add(program.FullName);
        var identity = new Identity("start", "bench_start", BearerToken.Sign(Secret, "bench_start", DateTimeOffset.UtcNow, Patience));
        var started = Stopwatch.GetTimestamp();
        using var server = Process.Start(start)!;
        var said = "";
        server.OutputDataReceived += (_, _) => { };
        server.ErrorDataReceived += (_, line) => said += $" {line.Data}";
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        try
        {
            if (!await IsPushAnswered(target, identity, server, started, cancel))
                throw new BenchFailure($"The server did not answer within {Patience.TotalSeconds:N0} s, or ended:{said}");
            return new Start(
                Stopwatch.GetElapsedTime(started).TotalSeconds,
                CpuTime.ReadProcess("/proc", server.Id)?.TotalSeconds ?? double.NaN,
                new ServerProcess(server.Id).ResidentKiB() / 1024.0);
        }
        finally
        {
            if (!server.HasExited) server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
            folder.Delete(recursive: true);
        }
    }

    private static async Task<bool> IsPushAnswered(
        Target target, Identity identity, Process server, long started, CancellationToken cancel)
    {
        while (!server.HasExited && Stopwatch.GetElapsedTime(started) < Patience)
        {
            try
            {
                using var connection = await HttpConnection.Open(target, cancel);
                var user = new ScenarioUser(target, connection, identity, new EntryText("start", 1), new Numbers(TimeProvider.System));
                await user.Send(user.Push(1));
                return true;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                await Task.Delay(AskEvery, cancel);
            }
        }

        return false;
    }

    private sealed record Start(double Seconds, double CpuSeconds, double MiB)
    {
        public override string ToString() =>
            $"{NumberText.Short(Seconds)} s, {NumberText.Short(CpuSeconds)} s of CPU time, then {NumberText.Short(MiB)} MiB resident";
    }
}
