using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Support;
using Npgsql;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

/// <summary>Users with the same history get the same commits: one half each by itself, the other half in one statement.</summary>
[Collection(SharesPostgres.Name)]
public sealed class PostgresGroupFormTests(PostgresCluster cluster) : PostgresGroupTests(cluster)
{
    private const int Pairs = 8;

    private static readonly DeviceId[] Devices = [new("d1"), new("d2")];

    [SeededProperty(40)]
    public async Task A_group_writes_what_its_commits_write_by_themselves(int seed)
    {
        var pairs = new List<(UserId Alone, UserId Grouped, Commit Commit)>();
        for (var i = 0; i < Pairs; i++)
        {
            var (alone, grouped) = (User(), User());
            await Store.HistoryState(grouped, null, Now, Cancel);
            await Prepare(alone, new Random(seed + i));
            await Execute($"""
                UPDATE sync_metadata SET epoch = (SELECT epoch FROM sync_metadata WHERE user_id = '{alone}') WHERE user_id = '{grouped}'
                """);
            await Prepare(grouped, new Random(seed + i));
            pairs.Add((alone, grouped, Any(await Store.HistoryState(alone, null, Now, Cancel), new Random(seed - i))));
        }

        var outcomes = new List<CommitOutcome>();
        foreach (var (alone, _, commit) in pairs) outcomes.Add(await Store.Commit(alone, commit, Cancel));
        var together = await Together([.. pairs.Select(pair => new UserCommit(pair.Grouped, pair.Commit))]);

        Assert.Equal(outcomes, together);
        foreach (var (alone, grouped, _) in pairs) Assert.Equal(await Contents(alone), await Contents(grouped));
        var held = pairs.Zip(together).Where(one => one.Second.Result is CommitResult.Held).Select(one => $"'{one.First.Grouped}'");
        var sql = $"SELECT count(DISTINCT xmin::text) FROM sync_metadata WHERE user_id IN ({string.Join(',', held.Append("''"))})";
        Assert.InRange((long)(await Scalar(sql))!, 0, 1);
    }

    /// <summary>A plan is made once for each connection, when the tables may be almost empty, and kept while they grow.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(40)]
    public async Task Every_form_looks_rows_up_by_their_user(int users)
    {
        for (var i = 0; i < users; i++) await Prepare(User(), new Random(i));
        await Execute("ANALYZE");
        await using var connection = await Source.OpenConnectionAsync();
        for (var form = 0; form < CommitSql.FormCount; form++)
        {
            var parts = (CommitParts)form;
            if (parts.HasFlag(CommitParts.Group | CommitParts.Single) || parts.HasFlag(CommitParts.Rows | CommitParts.FirstRows)) continue;
            var plan = await Plan(connection, CommitSql.For(parts));
            for (var i = 0; i < plan.Count; i++)
            {
                Assert.DoesNotContain("Seq Scan", plan[i], StringComparison.Ordinal);
                if (!plan[i].Contains("Index Scan", StringComparison.Ordinal)) continue;
                Assert.Matches(@"Index Cond: .*user_id = ", plan[i + 1]);
            }
        }
    }

    private static async Task<List<string>> Plan(NpgsqlConnection connection, string sql)
    {
        var parameters = Enumerable.Range(1, 100).TakeWhile(i => Regex.IsMatch(sql, $@"\${i}\b")).Select(_ => "NULL");
        await using var prepare = new NpgsqlCommand($"PREPARE form AS {sql}", connection);
        await prepare.ExecuteNonQueryAsync();
        await using var explain = new NpgsqlCommand($"EXPLAIN EXECUTE form({string.Join(',', parameters)})", connection);
        await using var reader = await explain.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync()) lines.Add(reader.GetString(0));
        await reader.CloseAsync();
        await using var forget = new NpgsqlCommand("DEALLOCATE form", connection);
        await forget.ExecuteNonQueryAsync();
        return lines;
    }

    /// <summary>The device's revocation is answered while the commit waits for the user's row.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_device_that_is_revoked_while_its_commit_waits_writes_nothing(int together)
    {
        var users = Enumerable.Range(0, together).Select(_ => User()).ToList();
        foreach (var user in users) await Prepare(user, new Random(2));
        var revoked = users[^1];
        var commits = new List<UserCommit>();
        foreach (var user in users)
        {
            var at = await Store.HistoryState(user, null, Now, Cancel);
            commits.Add(new UserCommit(user, Entries(at, 1, "late") with { Devices = Devices, OldestTokenMs = Now + 1 }));
        }

        await using var beside = await Beside();
        await using var transaction = await beside.BeginTransactionAsync();
        await using var revoke = new NpgsqlCommand($"""
            UPDATE sync_metadata SET rights = rights + 1 WHERE user_id = '{revoked}';
            UPDATE sync_devices SET revoked_ms = {Now} WHERE user_id = '{revoked}' AND device_id = 'd1'
            """, beside);
        await revoke.ExecuteNonQueryAsync();
        var running = together == 1
            ? [new GroupCommit(Source, new FakeTimeProvider()).Run(revoked, commits[0].Commit).AsTask()]
            : Start(commits);
        await WaitsForLock(beside);
        await transaction.CommitAsync();

        var outcomes = (await Task.WhenAll(running))[^together..];
        Assert.Equal(CommitResult.FenceLost, outcomes[^1].Result);
        Assert.All(outcomes[..^1], outcome => Assert.Equal(CommitResult.Held, outcome.Result));
    }

    private static async Task WaitsForLock(NpgsqlConnection beside)
    {
        const string sql = "SELECT pg_stat_clear_snapshot(), (SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock')";
        for (var waits = 0L; waits == 0;)
        {
            await using var command = new NpgsqlCommand(sql, beside);
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            waits = reader.GetInt64(1);
        }
    }

    /// <summary>What a user has before: three entries, of which one is deleted, a receipt that has expired, and rights that vary.</summary>
    private async Task Prepare(UserId user, Random random)
    {
        var at = await Store.HistoryState(user, null, Now, Cancel);
        var first = Commit(at, Row(Entry("e1"), 1, """{"v":1}"""), Tombstone(Entry("e2"), 2), Row(Entry("e3"), 3, """{"v":3}""")) with
        {
            Receipts = [Receipt("expired", expiresMs: Now - 1)],
        };
        Assert.Equal(CommitResult.Held, (await Store.Commit(user, first, Cancel)).Result);
        foreach (var device in Devices) await Store.SeeDevice(user, device, 0, 9, Now, Cancel);
        if (random.Next(8) == 0) await Store.RevokeDevice(user, Devices[random.Next(2)], Now, Cancel);
        if (random.Next(8) == 0) await Store.SignOut(user, Now + 1, Cancel);
    }

    private static Commit Any(HistoryState at, Random random)
    {
        var seq = at.Last.Number;
        EntityKey[] entries = [.. new[] { "e1", "e2", "e3", "n1", "n2" }.Where(_ => random.Next(3) == 0).Select(Entry)];
        NewRow[] rows = [.. entries.Select(entity => AnyRow(entity, ++seq, random))];
        var existing = entries.Where(entity => entity.Id[0] == 'e').ToList();
        var documents = existing.Where(entity => entity.Id != "e2").Where(_ => random.Next(2) == 0);
        return Commit(at, rows) with
        {
            Expected = random.Next(8) == 0 ? at.Token with { Seq = Revision.Origin } : at.Token,
            NowMs = Now + random.Next(3),
            OldestTokenMs = Now + random.Next(2),
            Digest = (UInt128)random.Next(),
            Devices = [.. Devices.Where(_ => random.Next(2) == 0)],
            Versions = random.Next(2) == 0 ? existing : [],
            Replaced = [.. documents.Select(entity => Replaced(entity, $$"""{"v":{{entity.Id[1]}}}"""))],
            Losers = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Loser("e1", """{"v":0}"""))],
            Receipts = [.. new[] { "k1", "k2", "expired" }.Where(_ => random.Next(3) == 0).Select(key => Receipt(key))],
        };
    }

    private static NewRow AnyRow(EntityKey entity, long seq, Random random)
    {
        var row = Row(entity, seq, $$"""{"w":{{random.Next()}}}""", device: random.Next(2) == 0 ? null : "d1");
        return random.Next(3) switch
        {
            0 => Tombstone(entity, seq),
            1 => row with
            {
                Head = row.Head with
                {
                    NamedVersion = random.Next(9),
                    PreviousPublishedMs = 5,
                    MergedIn = new ChangeTime(Now, Now - 1, null),
                },
            },
            _ => row,
        };
    }

    private async Task<List<CommitOutcome>> Together(List<UserCommit> commits) => [.. (await Task.WhenAll(Start(commits)))[1..]];

    /// <summary>A commit of another user goes at once; all of these wait for it, and are one group.</summary>
    private List<Task<CommitOutcome>> Start(List<UserCommit> commits)
    {
        var group = new GroupCommit(Source, new FakeTimeProvider());
        var at = new HistoryState(new Epoch(Guid.NewGuid()), new Revision(1), Revision.Origin, Revision.Origin, 0, 0, 0, 0, false);
        using var taken = Source.OpenConnection();
        return [.. commits.Prepend(new UserCommit(User(), Entries(at, 1))).Select(one => group.Run(one.User, one.Commit).AsTask())];
    }

    private async Task<List<string>> Contents(UserId user)
    {
        string[] tables = ["sync_metadata", "sync_data", "sync_versions", "sync_conflicts", "idempotency_keys"];
        await using var connection = await Beside();
        var rows = new List<string>();
        foreach (var table in tables)
        {
            var sql = $"SELECT to_jsonb(t) - 'user_id' FROM {table} t WHERE user_id = '{user}' ORDER BY 1";
            await using var command = new NpgsqlCommand(sql, connection);
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync()) rows.Add($"{table} {reader.GetString(0)}");
        }

        return rows;
    }
}
