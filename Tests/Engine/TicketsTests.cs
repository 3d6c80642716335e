using Mirubato.Grains;
using Mirubato.Grains.Interfaces;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Engine;

/// <summary>One-time tickets of one user.</summary>
public sealed class TicketsTests
{
    private readonly FakeClock clock = new();
    private readonly Tickets tickets;

    public TicketsTests() => tickets = new Tickets(clock);

    [Fact]
    public void A_ticket_counts_once_and_others_are_left()
    {
        Issue(1, 2);
        Assert.NotNull(tickets.Redeem(Hash(1)));
        Assert.Null(tickets.Redeem(Hash(1)));
        Assert.Null(tickets.Redeem(Hash(3)));
        Assert.NotNull(tickets.Redeem(Hash(2)));
    }

    [Fact]
    public void A_ticket_counts_until_it_expires_and_not_after()
    {
        Issue(1, 2);
        clock.Advance(TimeSpan.FromMilliseconds(Limits.TicketMs));
        Assert.NotNull(tickets.Redeem(Hash(1)));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(tickets.Redeem(Hash(2)));
    }

    [Fact]
    public void An_expired_one_was_tried_all_the_same()
    {
        Issue(1);
        clock.Advance(TimeSpan.FromMilliseconds(Limits.TicketMs + 1));
        Assert.Null(tickets.Redeem(Hash(1)));
        clock.AdjustTime(clock.GetUtcNow().AddMilliseconds(-2));
        Assert.Null(tickets.Redeem(Hash(1)));
    }

    [Fact]
    public void Past_their_number_the_oldest_goes()
    {
        for (byte i = 0; i <= Limits.TicketsMax; i++) Issue(i);
        Assert.Null(tickets.Redeem(Hash(0)));
        Assert.All(Enumerable.Range(1, Limits.TicketsMax), i => Assert.NotNull(tickets.Redeem(Hash((byte)i))));
    }

    [Fact]
    public void Expired_ones_take_no_place()
    {
        Issue(0);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        for (byte i = 1; i < Limits.TicketsMax; i++) Issue(i);
        clock.Advance(TimeSpan.FromMilliseconds(Limits.TicketMs));
        Issue(Limits.TicketsMax);
        Assert.NotNull(tickets.Redeem(Hash(1)));
        Assert.NotNull(tickets.Redeem(Hash(Limits.TicketsMax)));
    }

    [Fact]
    public void Cleared_none_counts()
    {
        Issue(1);
        tickets.Clear();
        Assert.Null(tickets.Redeem(Hash(1)));
    }

    private void Issue(params byte[] names)
    {
        foreach (var name in names) tickets.Issue(new TicketGrant(Hash(name), null, 0, long.MaxValue, clock.NowMs + Limits.TicketMs));
    }

    private static byte[] Hash(byte name) => [.. Enumerable.Repeat(name, 32)];
}
