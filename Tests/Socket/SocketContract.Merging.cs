namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    [Fact]
    public async Task A_merged_event_precedes_its_acknowledgement_to_the_sender_too()
    {
        var (a, b) = (await Live(), await Live());
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Fields("\"notes\":\"n\",\"duration\":1", 60)}");
        await b.Next("ENTRY_CREATED");
        await a.Mutate("ENTRY_UPDATED", $"\"baseVersion\":1,\"entry\":{Fields("\"notes\":\"a\",\"duration\":1", 50)}");
        await b.Next("ENTRY_UPDATED");
        await a.Settle();

        var entry = Fields("\"notes\":\"n\",\"duration\":2", 40);
        await b.Send($$"""{"type":"ENTRY_UPDATED","mutationId":"m","merge":true,"baseVersion":1,"entry":{{entry}}}""");
        foreach (var client in new[] { a, b })
        {
            var received = await client.Next("ENTRY_UPDATED");
            Assert.Equal(3, Seq(received));
            var stored = received.GetProperty("entry");
            Assert.Equal(("a", "2"), (Text(stored, "notes"), Text(stored, "duration")));
        }

        var ack = await b.Next();
        Assert.Equal(("m", "merged", 3L), (Text(ack, "mutationId"), Text(ack, "status"), Seq(ack)));
        Assert.False(ack.TryGetProperty("members", out _));
        Assert.Empty(await b.Settle());
    }

    [Fact]
    public async Task Members_that_lost_are_named_in_the_acknowledgement_and_without_merge_it_is_as_ever()
    {
        var (a, b) = (await Live(), await Live());
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Fields("\"notes\":\"n\",\"duration\":1", 60)}");
        await a.Mutate("ENTRY_UPDATED", $"\"baseVersion\":1,\"entry\":{Fields("\"notes\":\"a\",\"duration\":1", 30)}");
        await b.Settle();

        var edit = $"\"baseVersion\":1,\"entry\":{Fields("\"notes\":\"b\",\"duration\":2", 40)}";
        var plain = await b.Mutate("ENTRY_UPDATED", edit);
        Assert.Equal("conflict", Text(plain, "status"));
        var ack = await b.Mutate("ENTRY_UPDATED", $"\"merge\":true,{edit}");
        Assert.Equal(("merged", "/notes"), (Text(ack, "status"), ack.GetProperty("members")[0].GetString()));
    }

    [Fact]
    public async Task A_merge_without_news_is_answered_like_a_conflict_with_the_stored_copy_before_it_and_again_when_repeated()
    {
        var (a, b) = (await Live(), await Live());
        await a.Mutate("ENTRY_CREATED", $"\"entry\":{Fields("\"notes\":\"n\",\"duration\":1", 60)}");
        await a.Mutate("ENTRY_UPDATED", $"\"baseVersion\":1,\"entry\":{Fields("\"notes\":\"a\",\"duration\":1", 30)}");
        await b.Next("ENTRY_UPDATED");
        var entry = Fields("\"notes\":\"n\",\"duration\":1", 40);
        for (var times = 0; times < 2; times++)
        {
            await b.Send($$"""{"type":"ENTRY_UPDATED","mutationId":"m","merge":true,"baseVersion":1,"entry":{{entry}}}""");
            var copy = await b.Next("BULK_SYNC");
            Assert.Equal("a", Text(copy.GetProperty("entries")[0], "notes"));
            Assert.False(copy.TryGetProperty("seq", out _));
            var ack = await b.Next();
            Assert.Equal(("m", "merged", "e"), (Text(ack, "mutationId"), Text(ack, "status"), Text(ack, "entityId")));
            Assert.False(ack.TryGetProperty("seq", out _));
        }
    }

    private static string Fields(string members, double secondsAgo) => $"{{\"id\":\"e\",{members},\"updatedAt\":\"{Iso(secondsAgo)}\"}}";
}
