using System.Text.Json;
using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Admin;

/// <summary>Imports of the original backend's database: begun, watched, and what was not stored.</summary>
internal static class ImportEndpoints
{
    private const int StartTriesMax = 10;
    private const int MachinesNamedMax = 5;
    private static readonly TimeSpan StartAgainAfter = TimeSpan.FromMilliseconds(200);

    public static void MapImports(this RouteGroupBuilder admin)
    {
        admin.MapPost("/imports", Start);
        admin.MapGet("/imports", List);
        admin.MapGet("/imports/{id}", Get);
        admin.MapGet("/imports/{id}/refused", Refused);
        admin.MapDelete("/imports/{id}", Cancel);
    }

    private static IImportGrain Grain(IGrainFactory grains) => grains.GetGrain<IImportGrain>(0);

    /// <summary>Takes the path of a file of the server's as JSON, or the file itself.</summary>
    private static Task Start(HttpContext http, IGrainFactory grains, UploadedFiles files) =>
        Audit.Act(http, "import", "the original backend's database", async () =>
        {
            var order = http.Request.HasJsonContentType() ? await Named(http) : await Uploaded(http, grains, files);

            var start = await Begin(grains, order);
            if (start.Import is { } import)
            {
                await Answer(http, import, StatusCodes.Status202Accepted);
                return;
            }

            if (order.DeleteFile) File.Delete(order.Path);
            throw new RequestRefusedException(Problem.ImportRefused, start.Problem);
        });

    /// <summary>
    /// The grain may be in a silo on another machine, while the file is on this one: asked again, it is made anew in the silo here. Not
    /// given up with its caller: the file would stay, and the import might run.
    /// </summary>
    private static async Task<ImportStart> Begin(IGrainFactory grains, ImportOrder order)
    {
        for (var attempt = 1; ; attempt++)
        {
            var start = await UserCoordinator.Reach(() => Grain(grains).Start(order), CancellationToken.None);
            if (!start.IsMissing || attempt == StartTriesMax || !File.Exists(order.Path)) return start;
            await Task.Delay(StartAgainAfter);
        }
    }

    private static async Task<ImportOrder> Named(HttpContext http)
    {
        try
        {
            var asked = await http.Request.ReadFromJsonAsync(ImportJson.Default.ImportBody, http.RequestAborted);
            if (asked?.Path is { Length: > 0 } path && Path.IsPathFullyQualified(path)) return new ImportOrder(path, asked.DryRun);
        }
        catch (JsonException)
        {
            // As a wrong shape.
        }

        throw new RequestRefusedException(
            Problem.InvalidShape, "$.path must be the whole path of a file on the server, like /srv/d1.db; $.dryRun is true or false.");
    }

    /// <summary>What would be refused in the end is refused before gigabytes are sent.</summary>
    private static async Task<ImportOrder> Uploaded(HttpContext http, IGrainFactory grains, UploadedFiles files)
    {
        if (http.RequestServices.GetRequiredService<ProcessIdentity>().Silo is null) throw await NoSiloHere(http);
        var imports = await UserCoordinator.Reach(() => Grain(grains).List(), http.RequestAborted);
        if (imports is [{ Status: ImportStatus.Running } other, ..])
            throw new RequestRefusedException(Problem.ImportRefused, $"Import {other.Id} is running; wait for its end, or cancel it.");
        var time = http.RequestServices.GetRequiredKeyedService<TimeProvider>(ServerClock.Key);
        files.RemoveStale(time.GetUtcNow());

        // A word that is not understood must not become an import.
        var dryRun = RedactedQuery.Read(http, "dryRun");
        if (dryRun is not ("" or "true" or "false"))
            throw new RequestRefusedException(Problem.InvalidParameter, "dryRun must be true or false.", "dryRun");
        return new ImportOrder(await files.Keep(http), dryRun == "true", DeleteFile: true);
    }

    /// <summary>Nobody reads the files of a process without a silo. Where there is one is on the member list, but for its port.</summary>
    private static async Task<RequestRefusedException> NoSiloHere(HttpContext http)
    {
        var members = await http.RequestServices.GetRequiredService<Cluster>().Silos(http.RequestAborted);
        var machines = members.Silos.Where(silo => silo.Ready)
            .Select(silo => silo.Address[..silo.Address.LastIndexOf(':')])
            .Distinct().Take(MachinesNamedMax).ToList();
        var first = machines.FirstOrDefault() ?? "SILO";
        return new RequestRefusedException(
            Problem.ImportRefused,
            $"This process is a gateway, and no silo reads its files. Send the file to a process that has a silo (machines: "
            + $"{(machines.Count == 0 ? "none is ready" : string.Join(", ", machines))}), at the port of its Urls or Admin:Port: "
            + $"mirubato import d1 FILE --server http://{first}:{http.Connection.LocalPort}. Or copy it to a disk that the silos share, and "
            + "name its path (--on-server).");
    }

    private static async Task List(HttpContext http, IGrainFactory grains)
    {
        var imports = await UserCoordinator.Reach(() => Grain(grains).List(), http.RequestAborted);
        await http.Answer(new ImportsAnswer([.. imports.Select(ImportAnswer.From)]), ImportJson.Default.ImportsAnswer);
    }

    private static async Task Get(HttpContext http, IGrainFactory grains, string id) =>
        await Answer(http, await Find(http, grains, id), StatusCodes.Status200OK);

    private static async Task Refused(HttpContext http, IGrainFactory grains, string id)
    {
        var import = await Find(http, grains, id);
        http.Response.ContentType = ContentTypes.Lines;
        for (var page = 1; page <= import.Pages; page++)
        {
            var rows = await UserCoordinator.Reach(() => grains.GetGrain<IImportPageGrain>($"{id}:{page}").Read(), http.RequestAborted);
            foreach (var row in rows)
            {
                var line = JsonSerializer.SerializeToUtf8Bytes(RefusedRow.From(row), ImportJson.Default.RefusedRow);
                await http.Response.Body.WriteAsync(line, http.RequestAborted);
                await http.Response.Body.WriteAsync("\n"u8.ToArray(), http.RequestAborted);
            }
        }
    }

    private static Task Cancel(HttpContext http, IGrainFactory grains, string id) =>
        Audit.Act(http, "cancel", $"import '{Audit.Spell(id)}'", async () =>
        {
            var import = await Find(http, grains, id);
            var isRunning = await UserCoordinator.Reach(() => Grain(grains).Cancel(id), CancellationToken.None);
            if (!isRunning && import.Status is not (ImportStatus.Running or ImportStatus.Cancelled))
                throw new RequestRefusedException(Problem.ImportRefused, "The import has ended already; what it stored stays.");
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        });

    private static async Task<ImportReport> Find(HttpContext http, IGrainFactory grains, string id)
    {
        var imports = await UserCoordinator.Reach(() => Grain(grains).List(), http.RequestAborted);
        return imports.FirstOrDefault(import => import.Id == id)
            ?? throw new RequestRefusedException(
                Problem.NotFound, $"There is no such import; the last {Limits.ImportsRemembered} are at /admin/v1/imports.");
    }

    private static Task Answer(HttpContext http, ImportReport import, int status) =>
        http.Answer(ImportAnswer.From(import), ImportJson.Default.ImportAnswer, status);
}
