using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace Mirubato.Cli;

/// <summary>
/// Where a command writes: a person's screen, or JSON for a machine. Failures go to standard error and become exit codes.
/// </summary>
internal sealed class Screen
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly TextWriter output;

    private Screen(ParseResult parsed)
    {
        output = parsed.InvocationConfiguration.Output;
        IsJson = parsed.WantsJson();
        Person = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (output != Console.Out || Console.IsOutputRedirected) Person.Profile.Width = 200;
    }

    public bool IsJson { get; }

    public IAnsiConsole Person { get; }

    /// <summary>Makes an action of a command: what goes wrong is said with its remedy, and becomes the exit code.</summary>
    public static Func<ParseResult, CancellationToken, Task<int>> Action(
        Func<ParseResult, Screen, CancellationToken, Task<ExitCode>> act) => async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            try
            {
                return (int)await act(parsed, screen, cancel);
            }
            catch (CommandFailedException failure)
            {
                await screen.Fail(parsed, failure.Message, failure.Code);
                return (int)failure.Code;
            }
            catch (HttpRequestException cut)
            {
                await screen.Fail(parsed, $"The answer was cut off: {cut.Message} Run it again.", ExitCode.Unreachable);
                return (int)ExitCode.Unreachable;
            }
            catch (JsonException)
            {
                await screen.Fail(parsed, "What answers is no Mirubato server: check --server.", ExitCode.Unreachable);
                return (int)ExitCode.Unreachable;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                await screen.Fail(parsed, failure.Message, ExitCode.Failed);
                return (int)ExitCode.Failed;
            }
        };

    public void Json<T>(T value) => output.WriteLine(JsonSerializer.Serialize(value, Indented));

    /// <summary>One line for a person, or the members for a machine.</summary>
    public void Say(string text, object json)
    {
        if (IsJson) Json(json);
        else Person.WriteLine(text);
    }

    public void Table(JsonElement json, string[] columns, IEnumerable<string?[]> rows)
    {
        if (IsJson)
        {
            Json(json);
            return;
        }

        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns) table.AddColumn(Markup.Escape(column));
        foreach (var row in rows) table.AddRow([.. row.Select(cell => Markup.Escape(cell ?? "–"))]);
        Person.Write(table);
    }

    /// <exception cref="CommandFailedException">Nobody says yes.</exception>
    public void Confirm(ParseResult parsed, string question)
    {
        if (parsed.SaysYes()) return;
        if (IsJson || Console.IsInputRedirected || output != Console.Out)
            throw new CommandFailedException(ExitCode.Usage, $"{question} Say --yes to do it.");
        if (!Person.Confirm(Markup.Escape(question), defaultValue: false))
            throw new CommandFailedException(ExitCode.Usage, "Nothing was done.");
    }

    private async Task Fail(ParseResult parsed, string message, ExitCode code)
    {
        var error = parsed.InvocationConfiguration.Error;
        await error.WriteLineAsync(IsJson ? JsonSerializer.Serialize(new { error = message, exitCode = (int)code }, Indented) : message);
    }
}
