using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage.D1;

namespace Mirubato.Tests.Import;

/// <summary>What is read of a file, and what is refused of one that is not the original backend's.</summary>
public sealed class D1FileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-d1-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Path => System.IO.Path.Combine(folder, "d1.db");

    [Fact]
    public void Every_row_is_read_once_in_the_order_of_users_whatever_the_pages()
    {
        using (var dump = new D1Dump(Path)) dump.Fill(users: 7, rows: 100).Spoil();
        using var file = D1File.Open(Path);
        var whole = Pages(file, 1000, int.MaxValue);
        Assert.Equal(114, whole.Count);
        Assert.Null(whole[0].User);
        Assert.Equal(whole.Skip(1).Select(row => row.User).Order(StringComparer.Ordinal), whole.Skip(1).Select(row => row.User));
        Assert.Equal(114, whole.Select(row => row.RowId).Distinct().Count());
        foreach (var (rows, bytes) in (IEnumerable<(int, int)>)[(1, int.MaxValue), (7, int.MaxValue), (1000, 1)])
            Assert.Equal(whole.Select(row => row.RowId), Pages(file, rows, bytes).Select(row => row.RowId));
    }

    [Fact]
    public void It_tells_how_much_there_is_and_what_is_not_taken_over()
    {
        using (var dump = new D1Dump(Path))
        {
            dump.Fill(users: 3, rows: 10);
            dump.Run("CREATE TABLE goals (id TEXT); INSERT INTO goals VALUES ('a'), ('b'); CREATE TABLE empty (id TEXT)");
        }

        using var file = D1File.Open(Path);
        var totals = file.Count();

        Assert.Equal((3, 10, D1Dump.OldSequence), (totals.Users, totals.Rows, totals.OldSequence));
        Assert.Equal([new ImportTable("goals", 2), new ImportTable("idempotency_keys", 1)], totals.PassedOver);
        Assert.Equal(["user-0", "user-1"], file.Users("", 2));
        Assert.Equal(["user-2"], file.Users("user-1", 2));
    }

    [Theory]
    [InlineData("UPDATE sync_sequence SET current_value = 3", 10)]
    [InlineData("DROP TABLE sync_sequence", 10)]
    [InlineData("ALTER TABLE sync_data DROP COLUMN seq", 7_000_000)]
    [InlineData("DROP TABLE sync_sequence; ALTER TABLE sync_data DROP COLUMN seq", 0)]
    public void The_old_sequence_is_the_highest_there_is(string change, long expected)
    {
        using (var dump = new D1Dump(Path))
        {
            dump.Fill(users: 1, rows: 10);
            dump.Run(change);
        }

        using var file = D1File.Open(Path);
        Assert.Equal(expected, file.Count().OldSequence);
    }

    [Theory]
    [InlineData("DROP TABLE users", "there is no table users")]
    [InlineData("DROP TABLE sync_metadata", "there is no table sync_metadata")]
    [InlineData("ALTER TABLE sync_data DROP COLUMN deleted_at", "sync_data has no column deleted_at")]
    [InlineData("ALTER TABLE sync_data ADD COLUMN secrets TEXT", "sync_data has a column secrets")]
    [InlineData("DROP TABLE users; DROP TABLE sync_metadata", "no table users; there is no table sync_metadata")]
    [InlineData("UPDATE sync_sequence SET current_value = 9007199254740993", "leaves no room above it")]
    public void A_schema_that_differs_is_reported_with_the_remedy(string change, string expected)
    {
        using (var dump = new D1Dump(Path)) dump.Run(change);
        var wrong = Assert.Throws<D1FileException>(() =>
        {
            using var file = D1File.Open(Path);
            file.Count();
        });
        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
        Assert.Contains("copy", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sql_text_a_missing_file_and_a_cut_one_are_told_apart()
    {
        File.WriteAllText(Path, "PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE users (id TEXT PRIMARY KEY);");
        Assert.Contains("sqlite3 d1.db < export.sql", Wrong(), StringComparison.Ordinal);
        File.Delete(Path);
        Assert.Contains("cannot be read", Wrong(), StringComparison.Ordinal);
        using (var dump = new D1Dump(Path)) dump.Fill(users: 50, rows: 2000);
        using (var cut = File.OpenWrite(Path)) cut.SetLength(cut.Length / 2);
        Assert.Matches("damaged|cannot be read", Wrong());
    }

    [Fact]
    public void A_changed_file_is_another_file()
    {
        using var dump = new D1Dump(Path);
        var before = D1File.Identify(Path);
        Assert.Equal(before, D1File.Identify(Path));
        dump.Fill(users: 1, rows: 1);
        Assert.NotEqual(before, D1File.Identify(Path));
    }

    private string Wrong() => Assert.Throws<D1FileException>(() =>
    {
        using var file = D1File.Open(Path);
        file.Count();
    }).Message;

    private static List<D1Row> Pages(D1File file, int rowsMax, int bytesMax)
    {
        var (all, place) = (new List<D1Row>(), default(D1Place));
        while (file.Rows(place, rowsMax, bytesMax) is { Count: > 0 } page)
        {
            Assert.True(page.Count <= rowsMax);
            all.AddRange(page);
            place = new D1Place(page[^1].User, page[^1].RowId);
        }

        return all;
    }
}
