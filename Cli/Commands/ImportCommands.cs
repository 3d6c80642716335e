using System.CommandLine;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Mirubato.Cli.Http;
using Spectre.Console;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato import …</c>: the original backend's database, imported by a running server, and watched from here.</summary>
internal static class ImportCommands
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(500);

    private static readonly Argument<FileInfo> File = new("file") { Description = "The SQLite file." };

    private static readonly Argument<string> Id = new("id") { Description = "The import's id." };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Check every row and store nothing." };

    private static readonly Option<bool> OnServer = new("--on-server")
    {
        Description = "The server reads the file under this path itself.",
    };

    private static readonly Option<FileInfo?> Report = new("--report")
    {
        Description = "Write the rows that were not stored here, as lines of JSON.",
    };

    public static Command Create()
    {
        var d1 = new Command("d1", "Import the original backend's D1 database.") { File, DryRun, OnServer, Report };
        d1.SetAction(Screen.Action(Import));
        var show = new Command("show", "How far an import is, and what it did not store.") { Id, Report };
        show.SetAction(Screen.Action(Show));
        var list = new Command("list", "The last imports, the newest first.");
        list.SetAction(Screen.Action(List));
        var cancel = new Command("cancel", "End a running import; what it has stored stays.") { Id };
        cancel.SetAction(Screen.Action(Cancel));
        return new Command("import", "Import from the backend that this server replaces.") { d1, list, show, cancel };
    }

    private static async Task<ExitCode> Import(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        var (file, dryRun) = (parsed.GetRequiredValue(File), parsed.GetValue(DryRun));
        if (!dryRun) screen.Confirm(parsed, $"This imports {file} into {parsed.ServerUrl()}.");
        using var api = AdminApi.From(parsed);
        var begun = parsed.GetValue(OnServer) ? await Name(api, file, dryRun, cancel) : await Upload(api, file, dryRun, cancel);
        var import = await Watch(api, screen, begun, cancel);
        return await Conclude(parsed, api, screen, import, cancel);
    }

    private static Task<JsonElement> Name(AdminApi api, FileInfo file, bool dryRun, CancellationToken cancel) =>
        api.Post(
            "imports", "import", cancel,
            new StringContent(JsonSerializer.Serialize(new { path = file.FullName, dryRun }), Encoding.UTF8, "application/json"));

    private static async Task<JsonElement> Upload(AdminApi api, FileInfo file, bool dryRun, CancellationToken cancel)
    {
        if (!file.Exists) throw new CommandFailedException(ExitCode.Usage, $"There is no file {file}.");
        await using var stream = file.OpenRead();
        using var content = new StreamContent(stream) { Headers = { ContentType = new MediaTypeHeaderValue("application/vnd.sqlite3") } };
        return await api.Post($"imports?dryRun={(dryRun ? "true" : "false")}", "import", cancel, content);
    }

    private static async Task<JsonElement> Watch(AdminApi api, Screen screen, JsonElement import, CancellationToken cancel)
    {
        if (screen.IsJson) return await Poll(api, import, _ => { }, cancel);
        return await screen.Person.Progress().StartAsync(async progress =>
        {
            var task = progress.AddTask("rows", maxValue: Math.Max(1, import.GetProperty("rows").GetProperty("total").GetInt64()));
            return await Poll(api, import, now => task.Value = now.GetProperty("rows").GetProperty("done").GetInt64(), cancel);
        });
    }

    private static async Task<JsonElement> Poll(AdminApi api, JsonElement import, Action<JsonElement> show, CancellationToken cancel)
    {
        while (import.Text("status") == "running")
        {
            await Task.Delay(PollEvery, cancel);
            import = await api.Get($"imports/{import.Text("id")}", cancel);
            show(import);
        }

        return import;
    }

    private static async Task<ExitCode> Show(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var import = await api.Get($"imports/{AdminApi.Id(parsed.GetRequiredValue(Id))}", cancel);
        return await Conclude(parsed, api, screen, import, cancel);
    }

    private static async Task<ExitCode> List(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var imports = await api.Get("imports", cancel);
        screen.Table(
            imports, ["import", "status", "started", "rows", "not stored", "file"],
            imports.List("imports").Select(import => new[]
            {
                import.Text("id"), import.Text("status"), import.Text("startedAt"),
                $"{import.GetProperty("rows").Text("done")} of {import.GetProperty("rows").Text("total")}", import.Text("refused"),
                import.Text("file"),
            }));
        return ExitCode.Done;
    }

    private static async Task<ExitCode> Cancel(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        using var api = AdminApi.From(parsed);
        var id = parsed.GetRequiredValue(Id);
        await api.Delete($"imports/{AdminApi.Id(id)}", "cancel", cancel);
        screen.Say($"Import {id} ends after the batch under way.", new { id, cancelled = true });
        return ExitCode.Done;
    }

    /// <summary>Rows that were not stored are no failure of the import: the report names them.</summary>
    private static async Task<ExitCode> Conclude(
        ParseResult parsed, AdminApi api, Screen screen, JsonElement import, CancellationToken cancel)
    {
        screen.Table(
            import, ["what", "rows"],
            [
                ["status", import.Text("status")], ["import", import.Text("id")], ["dry run", import.Text("dryRun")],
                ["done", $"{import.GetProperty("rows").Text("done")} of {import.GetProperty("rows").Text("total")}"],
                ["changed something", import.Text("changed")], ["were there already", import.Text("unchanged")],
                ["not stored", import.Text("refused")], ["old sequence", import.Text("oldSequence")],
                ["tables not taken over", import.GetProperty("passedOver").ToString()], ["problem", import.Text("problem")],
            ]);
        if (parsed.GetValue(Report) is { } report)
        {
            await using var to = report.Create();
            await api.CopyTo($"imports/{import.Text("id")}/refused", to, cancel);
        }

        return import.Text("status") is "failed" or "cancelled" ? ExitCode.Failed : ExitCode.Done;
    }
}
