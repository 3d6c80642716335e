using Mirubato.Gateway.Socket;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Sockets;

public sealed class RecentlySentTests
{
    private static readonly EntityKey Entity = new("goal", "g");

    private readonly RecentlySent sent = new();

    [Fact]
    public void A_write_knows_what_was_sent_since_it_began_and_no_more()
    {
        sent.Add(Entity, 4);
        sent.BeginWrite();
        Assert.False(sent.HoldsSinceWrite(Entity, 4));
        sent.Add(Entity, 5);
        Assert.True(sent.HoldsSinceWrite(Entity, 5));
        Assert.False(sent.HoldsSinceWrite(Entity, 6));
        sent.EndWrite();
        sent.BeginWrite();
        Assert.False(sent.HoldsSinceWrite(Entity, 5));
    }

    /// <summary>After a restore a revision of the old history says nothing of the new one.</summary>
    [Fact]
    public void What_was_sent_of_another_epoch_does_not_count()
    {
        sent.BeginWrite();
        sent.Add(Entity, 900);
        sent.StartOver();
        Assert.False(sent.HoldsSinceWrite(Entity, 3));
        sent.Add(Entity, 3);
        Assert.True(sent.HoldsSinceWrite(Entity, 3));
    }

    [Fact]
    public void One_write_notes_no_more_than_its_bound()
    {
        sent.BeginWrite();
        for (var i = 0; i <= RecentlySent.MeanwhileMax; i++) sent.Add(new EntityKey("goal", $"{i}"), i + 1);
        Assert.True(sent.HoldsSinceWrite(new EntityKey("goal", "0"), 1));
        Assert.False(sent.HoldsSinceWrite(new EntityKey("goal", $"{RecentlySent.MeanwhileMax}"), RecentlySent.MeanwhileMax + 1));
    }
}
