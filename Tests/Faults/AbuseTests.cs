using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;
using Npgsql;
using Xunit.Abstractions;

namespace Mirubato.Tests.Faults;

/// <summary>One user does the worst that a token can do, beside users who do what they always do.</summary>
[Collection("alone")]
public sealed class AbuseTests(ITestOutputHelper output)
{
    private const int QuietUsers = 10;
    private const int SecondsMax = 300;
    private const double SlowerMax = 5;
    private const long KeptBytesMax = 96L << 20;
    private const long ConflictBytesMax = 1_000L * 260 * 1024;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Undisturbed = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan IdlePatience = TimeSpan.FromMinutes(4);

    [LongFact]
    public async Task One_user_at_its_worst_costs_ten_quiet_ones_no_request_and_the_server_no_memory()
    {
        var store = await PostgresCluster.StartOwn(fsync: true);
        var log = Path.GetTempFileName();
        try
        {
            var database = await store.FreshDatabase();
            await using var server = GatewayProcess.Over(database, log, hasDefaultLimits: true);
            await server.Start();
            await Run(server, database);
        }
        finally
        {
            await store.DisposeAsync();
            File.Delete(log);
        }
    }

    private async Task Run(GatewayProcess server, string database)
    {
        using var abuse = new Abuse(server.Url);
        await abuse.Prepare();
        await using var quiet = await QuietLife.Begin(server.Url, QuietUsers);
        await quiet.During(Task.Delay(WarmUp));
        var before = await quiet.During(Task.Delay(Undisturbed));
        var startBytes = server.ResidentBytes;
        output.WriteLine($"undisturbed: {before}, {startBytes >> 20} MiB");

        var wrong = new List<string>();
        var acts = abuse.Acts.Where(act => FaultSettings.Plays(act.Name)).ToList();
        var each = TimeSpan.FromSeconds(Math.Min(FaultSettings.Seconds, SecondsMax) / (double)acts.Count);
        foreach (var (name, act) in acts)
        {
            var seen = await quiet.During(Abuse.Repeat(act, each));
            output.WriteLine($"{name}: {seen}, {server.ResidentBytes >> 20} MiB");
            wrong.AddRange(seen.Failures.Take(3).Select(failure => $"{name}: {failure}"));
            if (seen.P99Ms > SlowerMax * before.P99Ms) wrong.Add($"{name}: {seen}, without it {before}");
        }

        wrong.AddRange(await Stored(database));
        var isBack = await Patiently.Until(() => server.ResidentBytes <= startBytes + KeptBytesMax, IdlePatience);
        output.WriteLine($"idle: {server.ResidentBytes >> 20} MiB");
        if (!isBack) wrong.Add($"{startBytes >> 20} MiB before, {server.ResidentBytes >> 20} MiB after");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task<IEnumerable<string>> Stored(string database)
    {
        var bounds = new (string What, string Sql, long Max)[]
        {
            ("bytes of entities", "SELECT coalesce(sum(bytes), 0)::bigint FROM sync_data WHERE user_id = $1", 512L << 20),
            ("tombstones", "SELECT count(*) FROM sync_data WHERE user_id = $1 AND deleted_ms IS NOT NULL", Limits.TombstonesMax),
            ("types", "SELECT count(DISTINCT entity_type) FROM sync_data WHERE user_id = $1 AND deleted_ms IS NULL", Limits.TypesMax),
            ("receipts", "SELECT count(*) FROM idempotency_keys WHERE user_id = $1", Limits.ReceiptsMax),
            (
                "bytes of receipts", "SELECT coalesce(sum(length(response)), 0)::bigint FROM idempotency_keys WHERE user_id = $1",
                Limits.ReceiptBytesMax),
            (
                "bytes of conflicts",
                $"SELECT coalesce(sum(length(document)), 0)::bigint FROM ({History.KeptDocuments}) kept WHERE user_id = $1",
                ConflictBytesMax),
        };
        var over = new List<string>();
        await using var source = NpgsqlDataSource.Create(database);
        foreach (var (what, sql, max) in bounds)
        {
            await using var command = source.CreateCommand(sql);
            command.Parameters.AddWithValue(Abuse.User);
            var held = (long)(await command.ExecuteScalarAsync())!;
            if (held > max) over.Add($"{what}: {held}, allowed {max}");
        }

        return over;
    }
}
