using System.CommandLine;
using System.Text.Json;
using Mirubato.Cli.Doctor;
using Mirubato.Cli.Http;
using Spectre.Console;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato doctor</c>: each check a line, green, amber or red, with what to do. Red ends with exit code 1.</summary>
internal static class DoctorCommand
{
    private static readonly Option<string?> Url = new("--url")
    {
        Description = "Where clients reach the server, through the proxy; looks at the certificate, a WebSocket, bodies and the clock.",
    };

    private static readonly Option<FileInfo?> Bundle = new("--bundle")
    {
        Description = "A support bundle that a client made: look at that device instead of the server.",
    };

    private static readonly Option<string?> User = new("--user")
    {
        Description = "With --bundle: whose device it is (the sub of the tokens), to compare it with what the server knows.",
    };

    public static Command Create()
    {
        var command = new Command(
            "doctor",
            "Look at the settings, the machine, the database, the silos and the way clients come; or at a client's support bundle.")
        {
            Url, Bundle, User,
        };
        command.SetAction(Screen.Action(Run));
        return command;
    }

    private static async Task<ExitCode> Run(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        var findings = new List<Finding>();
        await foreach (var finding in Examine(parsed, cancel).WithCancellation(cancel))
        {
            findings.Add(finding);
            if (!screen.IsJson) Print(screen.Person, finding);
        }

        if (screen.IsJson) screen.Json(new { findings });
        return findings.Any(finding => finding.Light is Light.Red) ? ExitCode.Failed : ExitCode.Done;
    }

    private static IAsyncEnumerable<Finding> Examine(ParseResult parsed, CancellationToken cancel)
    {
        var url = parsed.GetValue(Url) is { } text ? Settings.ReadUrl(text, "--url") : null;
        var user = parsed.GetValue(User);
        if (parsed.GetValue(Bundle) is { } file)
        {
            if (url is not null)
                throw new CommandFailedException(ExitCode.Usage, "--bundle looks at a device and --url at a server: say one of them.");
            var bundle = BundleFile.Read(file);
            return BundleExamination.Run(bundle, user ?? bundle.User, (name, stop) => Ask(parsed, name, stop), cancel);
        }

        return user is null
            ? Examination.Run(new Installation(parsed.Configuration(), parsed.ServerEnvironment(), url))
            : throw new CommandFailedException(ExitCode.Usage, "--user says whose support bundle it is: name that with --bundle FILE.");
    }

    private static async Task<JsonElement> Ask(ParseResult parsed, string user, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        return await api.Get($"users/{AdminApi.Id(user)}", cancel);
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
