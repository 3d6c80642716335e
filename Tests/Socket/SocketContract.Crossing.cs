namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    /// <summary>Found by the fault suite: an existing client, told of a deletion, drops the piece it has just added again.</summary>
    [Fact]
    public async Task A_piece_added_again_while_its_deletion_was_on_the_way_comes_back_to_its_sender()
    {
        var (one, two) = (await Live(), await Live());
        await one.Mutate("PIECE_ADDED", $"\"piece\":{{\"scoreId\":\"clair-debussy\",\"notes\":\"first\",\"updatedAt\":\"{Iso(60)}\"}}");
        await one.Mutate("PIECE_REMOVED", $"\"scoreId\":\"clair-debussy\",\"timestamp\":\"{Iso(30)}\"");
        await two.Next("PIECE_REMOVED");
        await two.Send(
            $"{{\"type\":\"PIECE_ADDED\",\"timestamp\":\"{Iso()}\",\"piece\":{{\"scoreId\":\"clair-debussy\",\"notes\":\"again\",\"updatedAt\":\"{Iso()}\"}}}}");
        var echo = await two.Until(frame => SocketClient.Type(frame) is "PIECE_ADDED" or "PIECE_UPDATED");
        Assert.Equal("again", Text(echo.GetProperty("piece"), "notes"));
    }
}
