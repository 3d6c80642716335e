using Mirubato.Bench.Load;
using Spectre.Console;

namespace Mirubato.Bench.Reports;

/// <summary>The terminal, or the file it is redirected to: bars become lines there, and tables become Markdown.</summary>
internal static class Screen
{
    private const int RedirectedWidth = 400;
    private const int WidthForWords = 110;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    public static IAnsiConsole Out { get; } = Create();

    public static void Say(string sentence) => Out.WriteLine(sentence);

    public static void Error(string sentence) => Console.Error.WriteLine(sentence);

    /// <summary>True where a table has no room for words: figures that are cut off are worse than short names.</summary>
    public static bool IsNarrow(IAnsiConsole console) => console.Profile.Width < WidthForWords;

    public static Table Table(IAnsiConsole console, params string[] columns)
    {
        var table = new Table { Border = Border(console) };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column))
            {
                NoWrap = true,
                Alignment = Justify.Right,
                Padding = IsNarrow(console) ? new Padding(0, 0, 1, 0) : new Padding(1, 0),
            });
        }
        table.Columns[0].Alignment = Justify.Left;
        return table;
    }

    private static TableBorder Border(IAnsiConsole console)
    {
        if (!console.Profile.Out.IsTerminal)
            return TableBorder.Markdown;
        return IsNarrow(console) ? TableBorder.None : TableBorder.Rounded;
    }

    /// <param name="each">How long one scenario takes, its preparation aside.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="work">Reports to what it is given.</param>
    public static async Task Progress(TimeSpan each, int count, Func<ScenarioProgress, Task> work)
    {
        if (!Out.Profile.Out.IsTerminal)
        {
            await work(new ScenarioProgress(null, each));
            return;
        }
        await Out.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("starting", maxValue: each.TotalSeconds * count);
                var progress = new ScenarioProgress(bar, each);
                using var timer = new Timer(_ => progress.Advance(Tick), null, Tick, Tick);
                await work(progress);
            });
    }

    private static IAnsiConsole Create()
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Console.Profile.Width = RedirectedWidth;
        return AnsiConsole.Console;
    }

    /// <summary>Where the run is. The bar moves with the clock while something is being timed.</summary>
    internal sealed class ScenarioProgress(ProgressTask? bar, TimeSpan each)
    {
        private string name = "";
        private double endOfScenario;
        private volatile bool timed;

        public void Begin(string scenario)
        {
            name = scenario;
            endOfScenario += each.TotalSeconds;
        }

        public void Phase(string phase)
        {
            timed = phase != "preparing";
            if (bar is not null)
                bar.Description = Markup.Escape($"{name}: {phase}");
        }

        public void Advance(TimeSpan by)
        {
            if (timed && bar is not null)
                bar.Value = Math.Min(endOfScenario, bar.Value + by.TotalSeconds);
        }

        public void End(Figures figures)
        {
            timed = false;
            if (bar is null)
                Say(
                    $"{name}: {NumberText.Short(figures.PerSecond)} requests/s, p99 {NumberText.Short(figures.P99Ms)} ms, "
                    + $"{NumberText.Whole(figures.Errors)} errors");
            else
                bar.Value = endOfScenario;
        }
    }
}
