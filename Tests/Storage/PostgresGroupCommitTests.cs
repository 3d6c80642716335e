using Microsoft.Extensions.Time.Testing;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Support;
using Npgsql;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

/// <summary>Commits of different users that wait for the one connection there is, and so go together.</summary>
[Collection(SharesPostgres.Name)]
public sealed class PostgresGroupCommitTests(PostgresCluster cluster) : PostgresGroupTests(cluster)
{
    private const int Users = 40;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Commits_that_wait_together_share_a_transaction()
    {
        var commits = await Commits(Users);

        var outcomes = await Together(commits);

        Assert.All(outcomes, outcome => Assert.Equal(CommitResult.Held, outcome.Result));
        Assert.Equal((long)Users, await Scalar("SELECT count(*) FROM sync_data"));
        Assert.Equal((long)Users, await Scalar("SELECT count(*) FROM idempotency_keys"));
        // The first went at once.
        Assert.Equal(2L, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
    }

    [Theory]
    [InlineData(200, 2)]
    [InlineData(300, 3)]
    public async Task A_commit_of_many_rows_goes_by_itself_however_small_they_are(int rows, long transactions)
    {
        var commits = await Commits(Users);
        var (user, commit) = commits[Users / 2];
        commits[Users / 2] = (user, Entries(await Store.HistoryState(user, null, Now, Cancel), rows));

        Assert.All(await Together(commits), outcome => Assert.Equal(CommitResult.Held, outcome.Result));
        Assert.Equal(transactions, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
    }

    [Theory]
    [InlineData(16, 2)]
    [InlineData(17, 3)]
    public async Task A_group_has_a_mebibyte_at_most(int fullCommits, long transactions)
    {
        // A row counts 256 bytes beside its document; the first commit goes at once.
        var json = $$"""{"v":"{{new string('x', (64 * 1024) - 256 - 8)}}"}""";
        var commits = await Commits(1);
        foreach (var (user, _) in await Commits(fullCommits))
            commits.Add((user, Entries(await Store.HistoryState(user, null, Now, Cancel), 1, json: json)));

        Assert.All(await Together(commits), outcome => Assert.Equal(CommitResult.Held, outcome.Result));
        Assert.Equal(transactions, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
    }

    [Fact]
    public async Task A_lost_fence_changes_nothing_for_the_others()
    {
        var commits = await Commits(Users);
        var (lost, commit) = commits[Users / 2];
        var elsewhere = commit.Expected with { Seq = new Revision(7) };
        commits[Users / 2] = (lost, commit with { Expected = elsewhere, Last = new Revision(8), Rows = [] });

        var outcomes = await Together(commits);

        Assert.Equal(CommitResult.FenceLost, outcomes[Users / 2].Result);
        Assert.Equal(Users - 1, outcomes.Count(outcome => outcome.Result is CommitResult.Held));
        Assert.Equal(2L, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
        Assert.Equal(0L, await Scalar($"SELECT count(*) FROM idempotency_keys WHERE user_id = '{lost}'"));
    }

    [Fact]
    public async Task A_taken_receipt_undoes_its_own_commit_only()
    {
        var commits = await Commits(Users);
        var (taken, _) = commits[Users / 2];
        await Execute($"""
            INSERT INTO idempotency_keys (user_id, scope, key, raw_hash, request_hash, status, response, expires_ms)
            VALUES ('{taken}', {(short)WriteScope.Push}, 'k', '', '', 200, '', {Now + DayMs})
            """);

        var outcomes = await Together(commits);

        Assert.Equal(CommitResult.ReceiptTaken, outcomes[Users / 2].Result);
        Assert.Equal(Users - 1, outcomes.Count(outcome => outcome.Result is CommitResult.Held));
        Assert.Equal(0L, await Scalar($"SELECT count(*) FROM sync_data WHERE user_id = '{taken}'"));
        Assert.Equal(Users - 1L, await Scalar("SELECT count(*) FROM sync_data"));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, false)]
    public async Task Whether_a_receipt_has_expired_is_decided_by_the_clock_of_its_own_commit(int laterMs, bool isTaken)
    {
        var commits = await Commits(Users);
        for (var i = 0; i < Users; i++) commits[i] = (commits[i].User, commits[i].Commit with { NowMs = Now + (2 * (i % 2)) });
        var (user, commit) = commits[Users / 2];
        commits[Users / 2] = (user, commit with { NowMs = Now + laterMs });
        await Execute($"""
            INSERT INTO idempotency_keys (user_id, scope, key, raw_hash, request_hash, status, response, expires_ms)
            VALUES ('{user}', {(short)WriteScope.Push}, 'k', '', '', 200, '', {Now + 1})
            """);

        var outcomes = await Together(commits);

        Assert.Equal(isTaken ? CommitResult.ReceiptTaken : CommitResult.Held, outcomes[Users / 2].Result);
        Assert.All(outcomes.Where((_, i) => i != Users / 2), outcome => Assert.Equal(CommitResult.Held, outcome.Result));
    }

    [Fact]
    public async Task A_group_has_64_commits_at_most()
    {
        // One goes at once, and the next 64 beside it.
        var outcomes = await Together(await Commits(1 + 64 + 65));

        Assert.All(outcomes, outcome => Assert.Equal(CommitResult.Held, outcome.Result));
        Assert.Equal(4L, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
    }

    [Fact]
    public async Task So_many_may_wait_and_one_more_is_refused_before_anything_is_sent()
    {
        const int waitingMax = 4_096;
        var group = new GroupCommit(Source, new FakeTimeProvider());
        var nobody = Entries(await Store.HistoryState(User(), null, Now, Cancel), 1);
        List<Task<CommitOutcome>> running;
        await using (await Source.OpenConnectionAsync())
        {
            // One is in the first group, and 64 in the second.
            running = [.. Enumerable.Range(0, 1 + 64 + waitingMax).Select(_ => group.Run(User(), nobody).AsTask())];
            var refused = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await group.Run(User(), nobody));
            Assert.Equal(("overload", false), (refused.Reason, refused.OutcomeUnknown));
        }

        Assert.All(await Task.WhenAll(running), outcome => Assert.Equal(CommitResult.FenceLost, outcome.Result));
    }

    [Fact]
    public async Task A_commit_whose_row_is_locked_is_not_waited_for()
    {
        var commits = await Commits(Users);
        var (locked, _) = commits[Users / 2];
        await using var beside = await Beside();
        await using var transaction = await beside.BeginTransactionAsync();
        await using var lockRow = new NpgsqlCommand($"SELECT * FROM sync_metadata WHERE user_id = '{locked}' FOR UPDATE", beside);
        await lockRow.ExecuteNonQueryAsync();
        await using var wide = PostgresStore.Source(Database, new PostgresOptions());
        var group = new GroupCommit(wide, TimeProvider.System);

        var running = commits.Select(one => group.Run(one.User, one.Commit).AsTask()).ToList();
        var slow = running[Users / 2];
        var others = await Task.WhenAll(running.Where(one => one != slow));

        Assert.All(others, outcome => Assert.Equal(CommitResult.Held, outcome.Result));
        Assert.False(slow.IsCompleted);
        await transaction.RollbackAsync();
        Assert.Equal(CommitResult.Held, (await slow).Result);
    }

    [Fact]
    public async Task A_commit_that_breaks_the_database_fails_alone()
    {
        var commits = await Commits(Users);
        var (broken, _) = commits[Users / 2];
        await Execute($"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN IF NEW.user_id = '{broken}' THEN RAISE EXCEPTION 'injected' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON sync_data FOR EACH ROW EXECUTE FUNCTION fail()
            """);

        var running = Start(commits);
        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => running[Users / 2]);

        Assert.Equal(("full", false), (failure.Reason, failure.OutcomeUnknown));
        foreach (var other in running.Where(one => one != running[Users / 2])) Assert.Equal(CommitResult.Held, (await other).Result);
    }

    [Fact]
    public async Task What_waits_for_a_slow_group_goes_in_a_second_one()
    {
        var (time, commits) = (new FakeTimeProvider(), await Commits(3));
        await using var wide = PostgresStore.Source(Database, new PostgresOptions(CommandSecondsMax: 300));
        await using var hold = await HoldUp(commits[0].User);
        var group = new GroupCommit(wide, time);

        var running = commits.Select(one => group.Run(one.User, one.Commit).AsTask()).ToList();
        time.Advance(GroupCommit.SlowGroup);

        await Task.WhenAll(running[1..]).WaitAsync(Patience);
        Assert.False(running[0].IsCompleted);
        Assert.Equal(1L, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
        await hold.DisposeAsync();
        Assert.Equal(CommitResult.Held, (await running[0]).Result);
    }

    [Fact]
    public async Task While_two_groups_are_slow_the_rest_waits_for_either()
    {
        var (time, commits) = (new FakeTimeProvider(), await Commits(4));
        await using var wide = PostgresStore.Source(Database, new PostgresOptions(CommandSecondsMax: 300));
        await using var hold = await HoldUp(commits[0].User, commits[1].User);
        var group = new GroupCommit(wide, time);
        var running = new List<Task<CommitOutcome>>();
        foreach (var (user, commit) in commits)
        {
            running.Add(group.Run(user, commit).AsTask());
            time.Advance(GroupCommit.SlowGroup);
        }

        await hold.DisposeAsync();
        Assert.All(await Task.WhenAll(running).WaitAsync(Patience), outcome => Assert.Equal(CommitResult.Held, outcome.Result));
        Assert.Equal(3L, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
    }

    [Fact]
    public async Task A_full_group_does_not_wait_for_the_one_under_way()
    {
        var (time, commits) = (new FakeTimeProvider(), await Commits(65));
        await using var wide = PostgresStore.Source(Database, new PostgresOptions(CommandSecondsMax: 300));
        await using var hold = await HoldUp(commits[0].User);
        var group = new GroupCommit(wide, time);

        var running = commits.Select(one => group.Run(one.User, one.Commit).AsTask()).ToList();

        await Task.WhenAll(running[1..]).WaitAsync(Patience);
        Assert.False(running[0].IsCompleted);
        Assert.Equal(1L, await Scalar("SELECT count(DISTINCT xmin::text) FROM sync_data"));
        await hold.DisposeAsync();
        Assert.Equal(CommitResult.Held, (await running[0]).Result);
    }

    /// <summary>As two activations of one user may for a moment: the fence decides, as ever.</summary>
    [Fact]
    public async Task Two_commits_of_one_user_in_one_group_are_fenced_against_each_other()
    {
        var commits = await Commits(Users);
        var (user, commit) = commits[Users / 2];
        commits.Add((user, commit with { Receipts = [] }));

        var outcomes = await Together(commits);

        Assert.Equal(
            [CommitResult.Held, CommitResult.FenceLost],
            new[] { outcomes[Users / 2].Result, outcomes[Users].Result }.Order());
        Assert.Equal((long)Users, await Scalar("SELECT count(*) FROM sync_data"));
    }

    /// <summary>Otherwise two processes could each wait for a row that the other has locked.</summary>
    [Fact]
    public async Task A_group_locks_its_users_in_the_order_of_their_ids()
    {
        await Execute("""
            CREATE TABLE locked (n serial, user_id text);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN INSERT INTO locked (user_id) VALUES (NEW.user_id); RETURN NEW; END $$;
            CREATE TRIGGER note BEFORE UPDATE ON sync_metadata FOR EACH ROW EXECUTE FUNCTION note()
            """);
        var commits = await Commits(Users);
        commits.Reverse();

        await Together(commits);

        var group = commits[1..].Select(commit => commit.User.Value).Order(StringComparer.Ordinal);
        Assert.Equal(string.Join(' ', group), await Scalar("SELECT string_agg(user_id, ' ' ORDER BY n) FROM locked WHERE n > 1"));
    }

    [Fact]
    public async Task Groups_of_two_processes_over_the_same_users_do_not_wait_for_each_other_in_a_circle()
    {
        // Else a group would give up its wait before the server looks for a circle.
        await Execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 10', current_database()); END $$");
        await using var first = PostgresStore.Source(Database, new PostgresOptions());
        await using var second = PostgresStore.Source(Database, new PostgresOptions());
        var (one, two) = (new GroupCommit(first, TimeProvider.System), new GroupCommit(second, TimeProvider.System));
        for (var round = 0; round < 5; round++)
        {
            var commits = await Commits(Users);
            var backwards = commits.Select(commit => (commit.User, Commit: commit.Commit with { Receipts = [] })).Reverse().ToList();

            var running = commits.Select(commit => one.Run(commit.User, commit.Commit).AsTask())
                .Concat(backwards.Select(commit => two.Run(commit.User, commit.Commit).AsTask())).ToList();
            var outcomes = await Task.WhenAll(running);

            Assert.Equal(Users, outcomes.Count(outcome => outcome.Result is CommitResult.Held));
            Assert.Equal(Users, outcomes.Count(outcome => outcome.Result is CommitResult.FenceLost));
        }

        Assert.Equal(0L, await Scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
    }

    [Fact]
    public async Task What_waits_for_a_server_that_is_away_fails_at_once_and_is_known_not_to_be_stored()
    {
        await using var nowhere = PostgresStore.Source("Host=127.0.0.1;Port=1;Username=u;Database=d", new PostgresOptions());
        var group = new GroupCommit(nowhere, TimeProvider.System);
        var at = await Store.HistoryState(User(), null, Now, Cancel);

        var running = Enumerable.Range(0, 500).Select(_ => group.Run(User(), Entries(at, 1)).AsTask()).ToList();

        foreach (var one in running)
        {
            var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => one);
            Assert.Equal(("unreachable", false), (failure.Reason, failure.OutcomeUnknown));
        }
    }

    /// <summary>The users' rows are stored only after what is returned is disposed of.</summary>
    private async Task<NpgsqlConnection> HoldUp(params UserId[] users)
    {
        await Execute($"""
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN
                IF NEW.user_id IN ({string.Join(',', users.Select(user => $"'{user}'"))}) THEN
                  PERFORM set_config('lock_timeout', '0', true); PERFORM pg_advisory_xact_lock_shared(1);
                END IF;
                RETURN NEW;
              END $$;
            CREATE TRIGGER wait BEFORE INSERT ON sync_data FOR EACH ROW EXECUTE FUNCTION wait()
            """);
        var beside = await Beside();
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(1)", beside);
        await command.ExecuteNonQueryAsync();
        return beside;
    }

    private async Task<List<(UserId User, Commit Commit)>> Commits(int count)
    {
        var commits = new List<(UserId, Commit)>();
        for (var i = 0; i < count; i++)
        {
            var user = User();
            var at = await Store.HistoryState(user, null, Now, Cancel);
            commits.Add((user, Entries(at, 1) with { Receipts = [Receipt("k")] }));
        }

        return commits;
    }

    private async Task<CommitOutcome[]> Together(List<(UserId User, Commit Commit)> commits) => await Task.WhenAll(Start(commits));

    /// <summary>All are waiting before the connection is free.</summary>
    private List<Task<CommitOutcome>> Start(List<(UserId User, Commit Commit)> commits)
    {
        var group = new GroupCommit(Source, new FakeTimeProvider());
        using var taken = Source.OpenConnection();
        return [.. commits.Select(one => group.Run(one.User, one.Commit).AsTask())];
    }
}
