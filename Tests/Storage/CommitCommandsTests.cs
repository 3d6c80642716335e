using System.Collections;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage.Postgres;
using Npgsql;

namespace Mirubato.Tests.Storage;

public sealed class CommitCommandsTests
{
    private static readonly HistoryState At =
        new(new Epoch(Guid.NewGuid()), new Revision(1), Revision.Origin, Revision.Origin, 0, 0, 0, 0, false);

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(1, false)]
    [InlineData(3, false)]
    public void A_statement_that_is_used_again_says_its_new_commit_and_holds_no_document_in_between(int rows, bool areFirst)
    {
        var (commands, user, other) = (new CommitCommands(), Sample.User(), Sample.User());
        var entries = Sample.Entries(At, rows, "first", """{"a":1}""") with { Receipts = Receipts("k", rows) };
        var commit = areFirst ? entries : entries with { Rows = [.. entries.Rows.Select(WithPrevious)] };
        var next = Sample.Commit(At, [.. Enumerable.Range(1, rows).Select(i => Next(Sample.Entry($"next{i}"), i))]) with
        {
            Receipts = Receipts("next", rows),
            NowMs = Sample.Now + 7,
        };

        var command = commands.Take([new(user, commit)]);
        Assert.Contains(Values(command), value => value == Text(commit.Rows.Select(row => row.Data), rows));
        commands.Return(command);
        Assert.DoesNotContain(
            command.Statement.Parameters.Cast<NpgsqlParameter>(),
            parameter => parameter.Value is ReadOnlyMemory<byte> { IsEmpty: false } or (Array and not byte[]));

        var again = commands.Take([new(other, next)]);
        Assert.Same(command, again);
        Assert.Equal(Values(new CommitCommands().Take([new(other, next)])), Values(again));

        NewRow Next(EntityKey entity, int seq) => areFirst ? Sample.Row(entity, seq, device: null) : Sample.Tombstone(entity, seq);
    }

    [Fact]
    public void The_statement_of_a_group_is_used_again_and_holds_nothing_in_between()
    {
        var commands = new CommitCommands();
        UserCommit[] group = [Of("a", 1), Of("b", 2), Of("c", 1)];
        UserCommit[] next = [Of("d", 3), Of("e", 1)];

        var command = commands.Take(group);
        Assert.Equal(CommitParts.Group | CommitParts.FirstRows | CommitParts.Receipts, command.Parts);
        Assert.Contains("1|2|2|3", Values(command));
        commands.Return(command);
        Assert.All(command.Statement.Parameters.Cast<NpgsqlParameter>(), parameter => Assert.Null(parameter.Value));

        Assert.Same(command, commands.Take(next));
        Assert.Equal(Values(new CommitCommands().Take(next)), Values(command));

        static UserCommit Of(string name, int rows) =>
            new(new UserId(name), Sample.Entries(At, rows, name) with { Receipts = Receipts(name, 1) });
    }

    [Fact]
    public void A_first_state_is_sent_without_the_columns_that_only_a_later_one_has()
    {
        var head = Sample.Row(Sample.Entry("a"), 1).Head;
        EntityHead[] later =
        [
            head with { PreviousPublishedMs = 1 }, head with { DeletedMs = 1 }, head with { PreviousFingerprint = new Fingerprint(1) },
            head with { Echoes = [new Echo(1, 1, null)] }, head with { MergedIn = new ChangeTime(1, 1, null) },
        ];

        Assert.Equal(CommitParts.FirstRows | CommitParts.Single, Parts(head));
        Assert.All(later, other => Assert.Equal(CommitParts.Rows | CommitParts.Single, Parts(other)));

        static CommitParts Parts(EntityHead of) =>
            new CommitParameters([new(Sample.User(), Sample.Commit(At, new NewRow(Sample.Entry("a"), of, default)))]).Parts;
    }

    private static NewRow WithPrevious(NewRow row) => row with { Head = row.Head with { PreviousPublishedMs = 5 } };

    private static List<Receipt> Receipts(string key, int count) =>
        [.. Enumerable.Range(1, count).Select(i => Sample.Receipt($"{key}{i}"))];

    private static List<string> Values(CommitCommand command) =>
        [.. command.Statement.Parameters.Cast<NpgsqlParameter>().Select(parameter => Text(parameter.Value))];

    private static string Text(IEnumerable<ReadOnlyMemory<byte>> values, int count) =>
        count == 1 ? Text(values.Single()) : Text(values.ToArray());

    private static string Text(object? value) => value switch
    {
        ReadOnlyMemory<byte> bytes => Convert.ToHexString(bytes.Span),
        byte[] bytes => Convert.ToHexString(bytes),
        string text => text,
        IEnumerable many => string.Join('|', many.Cast<object?>().Select(Text)),
        _ => $"{value}",
    };
}
