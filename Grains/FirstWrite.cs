using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Mirubato.Grains.Storage.Sqlite;

namespace Mirubato.Grains;

/// <summary>A coordinator without a silo writes one entry into a store of its own, which is thrown away.</summary>
internal sealed class FirstWrite(IAnswerFormat format, Quotas quotas)
{
    private const string Prefix = "mirubato-first-write-";
    private const string Document = """{"id":"first","updatedAt":"2026-01-01T00:00:00.000Z"}""";

    /// <summary>A younger folder can be that of a process that starts at this moment.</summary>
    private static readonly TimeSpan LeftOverAge = TimeSpan.FromHours(1);

    private static readonly byte[] Body = Encoding.UTF8.GetBytes($"{{\"changes\":{{\"entries\":[{Document}]}}}}");

    public async Task Run()
    {
        DeleteLeftOver();
        var folder = Directory.CreateTempSubdirectory(Prefix);
        try
        {
            await using var store = SqliteStore.Open(Path.Combine(folder.FullName, "scratch.db"));
            await store.Migrate(CancellationToken.None);
            var answer = await Write(store);
            if (answer.Value?.Status != 200) throw new InvalidOperationException($"The first write was answered {answer}.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>What processes left that were killed before they had deleted it.</summary>
    private static void DeleteLeftOver()
    {
        foreach (var folder in new DirectoryInfo(Path.GetTempPath()).EnumerateDirectories($"{Prefix}*"))
        {
            if (TimeProvider.System.GetUtcNow() - folder.LastWriteTimeUtc < LeftOverAge) continue;
            try
            {
                folder.Delete(recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It is another user's, or another process was faster.
            }
        }
    }

    private async Task<Reply<WriteAnswer>> Write(SqliteStore store)
    {
        using var metrics = new SyncMetrics(name: "Mirubato.Uncounted");
        var silo = new CoordinatorContext(store, format, quotas, TimeProvider.System, metrics, NullLogger<SyncCoordinatorGrain>.Instance);
        using var devices = silo.Devices;
        var (user, device) = (new UserId("first-write"), new DeviceId("first-write"));
        var document = new DocumentRange(Body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Document)), Document.Length);
        var request = new WriteRequest(
            new Caller(user, device, TokenIssuedAtMs: long.MaxValue), WriteScope.Push, "first-write", Body,
            [new Change(EntityTypes.LogbookEntry.Name, Id: null, document)]);

        // Without a scheduler of its own: nobody else calls it.
        return await new SyncCoordinatorGrain(user, silo).Write(request);
    }
}
