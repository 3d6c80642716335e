using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests;

public sealed class SyncTokenTests
{
    private static readonly Epoch Epoch = new(Guid.Parse("0123456789abcdef0123456789abcdef"));
    private static readonly HistoryState HistoryState = new(
        Epoch, new Revision(1), new Revision(100), new Revision(40), UInt128.Zero, 0, 0, 0, false);

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef.7")]
    [InlineData("0123456789abcdef0123456789abcdef.7.40")]
    [InlineData("00000000000000000000000000000000.0")]
    public void A_token_reads_as_it_was_written(string text) => Assert.Equal(text, SyncToken.Parse(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("2026-01-01T00:00:00.000Z")]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("0123456789abcdef0123456789abcdef.-7")]
    [InlineData("0123456789abcdef0123456789abcdef.99999999999999999999")]
    [InlineData("0123456789abcdef0123456789abcdef.7.4.1")]
    [InlineData("xyz3456789abcdef0123456789abcdef.7")]
    public void Any_other_text_means_from_the_start(string? text) => Assert.Equal(SyncToken.Start, SyncToken.Parse(text));

    [Theory]
    [InlineData(40, 0, false)]   // At the horizon nothing is missing.
    [InlineData(39, 0, true)]    // One before it a tombstone may be.
    [InlineData(39, 40, false)]  // Unless the client started from nothing when the horizon was there already,
    [InlineData(39, 38, true)]   // and it has not risen since.
    [InlineData(100, 0, false)]
    [InlineData(101, 0, true)]   // Ahead of the head.
    public void A_token_that_cannot_be_continued_resets(long seq, long floor, bool resets) =>
        Assert.Equal(resets, HistoryState.Resets(new SyncToken(Epoch, new Revision(seq), new Revision(floor))));

    [Fact]
    public void A_token_of_another_epoch_resets() =>
        Assert.True(HistoryState.Resets(new SyncToken(new Epoch(Guid.NewGuid()), new Revision(50))));
}
