using System.CommandLine;
using Mirubato.Cli.Doctor;
using Spectre.Console;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato doctor</c>: each check a line, green, amber or red, with what to do. Red ends with exit code 1.</summary>
internal static class DoctorCommand
{
    private static readonly Option<string?> Url = new("--url")
    {
        Description = "Where clients reach the server, through the proxy; looks at the certificate, a WebSocket, bodies and the clock.",
    };

    public static Command Create()
    {
        var command = new Command("doctor", "Look at the settings, the machine, the database, the silos and the way clients come.") { Url };
        command.SetAction(Screen.Action(Run));
        return command;
    }

    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        var url = parsed.GetValue(Url) is { } text ? Settings.ReadUrl(text, "--url") : null;
        var installation = new Installation(parsed.Configuration(), parsed.ServerEnvironment(), url);
        var findings = new List<Finding>();
        await foreach (var finding in Examination.Run(installation).WithCancellation(cancel))
        {
            findings.Add(finding);
            if (!screen.IsJson) Print(screen.Person, finding);
        }

        if (screen.IsJson) screen.Json(new { findings });
        return findings.Any(finding => finding.Light is Light.Red) ? ExitCode.Failed : ExitCode.Done;
    }

    private static void Print(IAnsiConsole person, Finding finding)
    {
        var (mark, color) = finding.Light switch
        {
            Light.Green => ("ok   ", "green"),
            Light.Amber => ("amber", "yellow"),
            _ => ("RED  ", "red"),
        };
        person.MarkupLine($"[{color}]{mark}[/] [bold]{Markup.Escape(finding.Check)}[/]: {Markup.Escape(finding.Says)}");
        if (finding.Remedy is { } remedy) person.MarkupLine($"      → {Markup.Escape(remedy)}");
    }
}
