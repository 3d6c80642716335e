using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;
using static Mirubato.Tests.Storage.Sample;

namespace Mirubato.Tests.Storage;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_receipt_comes_back_byte_for_byte_until_it_expires()
    {
        var receipt = Receipt("schlüssel", Now + 10, """{"success":true,"x":"\u0000é"}""") with { Status = 409, RawHash = new byte[32] };
        await Hold(Commit(await HistoryState()) with { Receipts = [receipt, receipt with { Scope = WriteScope.Batch }] });

        var found = await Store.Receipt(user, WriteScope.Push, "schlüssel", Now + 9, Cancel);
        Assert.Equal(receipt with { RawHash = default, RequestHash = default, Response = default },
            found! with { RawHash = default, RequestHash = default, Response = default });
        Assert.Equal(Text(receipt.Response), Text(found.Response));
        Assert.Equal(Hash, found.RequestHash.ToArray());
        Assert.Equal(new byte[32], found.RawHash.ToArray());
        Assert.Null(await Store.Receipt(user, WriteScope.Push, "schlüssel", Now + 10, Cancel));
        Assert.Null(await Store.Receipt(user, WriteScope.Socket, "schlüssel", Now, Cancel));
    }

    [Theory]
    [InlineData(3, 100, "k2 k3 k4")]
    [InlineData(3, 20, "k3 k4")]
    [InlineData(4, 40, "k1 k2 k3 k4")]
    [InlineData(5, 39, "k2 k3 k4")]
    public async Task The_oldest_receipts_go_past_a_bound_of_number_or_bytes(int countMax, int bytesMax, string kept)
    {
        for (var i = 1; i <= 4; i++)
        {
            await Hold(Commit(await HistoryState()) with { Receipts = [Receipt($"k{i}", Now + DayMs + i, "0123456789")] });
        }

        var max = new StoredTotals(countMax, bytesMax);
        var left = await Store.TrimReceipts(user, max, max with { Count = Math.Min(countMax, 3), Bytes = Math.Min(bytesMax, 30) }, Cancel);

        var found = new List<string>();
        for (var i = 1; i <= 4; i++)
            if (await Store.Receipt(user, WriteScope.Push, $"k{i}", Now, Cancel) is not null) found.Add($"k{i}");
        Assert.Equal(kept, string.Join(' ', found));
        Assert.Equal(new StoredTotals(found.Count, 10 * found.Count), left);
    }

    [Fact]
    public async Task One_key_on_two_connections_executes_once()
    {
        for (var round = 0; round < 10; round++)
        {
            // Neither moves the head, so both fences hold and only the receipt can tell them apart.
            var at = await HistoryState();
            var key = $"k{round}";
            var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(async i => await Store.Commit(
                user, Commit(at) with
                {
                    Losers = [Loser($"l{round}-{i}", "{}")],
                    Receipts = [Receipt(key), Receipt($"{key}-{i}")],
                }, Cancel)));

            Assert.Single(results, outcome => outcome.Result == CommitResult.Held);
            Assert.Equal(3, results.Count(outcome => outcome.Result == CommitResult.ReceiptTaken));
        }

        Assert.Equal("0 10 20", await Contents());
    }

    [Fact]
    public async Task Nothing_of_a_commit_whose_key_is_taken_is_written()
    {
        await Hold(Commit(await HistoryState(), Row(Entry("old"), 1, """{"v":1}""")) with { Receipts = [Receipt("k")] });
        var at = await HistoryState();
        var before = await Contents();

        Assert.Equal(CommitResult.ReceiptTaken, (await Store.Commit(user, Everything(at), Cancel)).Result);
        Assert.Equal(before, await Contents());
        Assert.Equal(at, await HistoryState());
    }

    [Fact]
    public async Task An_expired_receipt_is_replaced()
    {
        await Hold(Commit(await HistoryState()) with { Receipts = [Receipt("k", expiresMs: Now)] });
        await Hold(Commit(await HistoryState()) with { Receipts = [Receipt("k", Now + DayMs, "second")] });

        Assert.Equal("second", Text((await Store.Receipt(user, WriteScope.Push, "k", Now, Cancel))!.Response));
    }

    [Fact]
    public async Task Killed_between_commit_and_answer_the_retry_finds_the_receipt()
    {
        var at = await HistoryState();
        var commit = Entries(at, 1) with { Receipts = [Receipt("k", response: "first")] };
        await Hold(commit);

        // The answer never arrived; the same write is decided again, on the same head and on the new one.
        Assert.Equal(CommitResult.FenceLost, (await Store.Commit(user, commit, Cancel)).Result);
        Assert.Equal(
            CommitResult.ReceiptTaken,
            (await Store.Commit(user, Entries(await HistoryState(), 1, "again") with { Receipts = [Receipt("k")] }, Cancel)).Result);
        Assert.Equal("first", Text((await Store.Receipt(user, WriteScope.Push, "k", Now, Cancel))!.Response));
    }
}
