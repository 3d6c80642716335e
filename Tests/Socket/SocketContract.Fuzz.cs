using System.Net.WebSockets;
using System.Text;

namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    private static readonly string[] Seeds =
    [
        """{"type":"ENTRY_CREATED","mutationId":"m","timestamp":"2026-01-01T00:00:00.000Z","entry":{"id":"e","notes":"é€😀","pieces":[{"title":"T"}],"updatedAt":1}}""",
        """{"type":"PLAN_UPDATED","plan":{"id":"p"},"occurrences":[{"id":"o","planId":"p"}]}""",
        """{"type":"BULK_SYNC","entries":[{"id":"a"},{"id":"b","deletedAt":null}]}""",
        """{"type":"SYNC_REQUEST","lastSeq":3,"lastSyncTime":"x"}""",
        """{"type":"PIECE_REMOVED","scoreId":"a-b","baseVersion":1e3}""",
        """{"type":"ENTITY_UPDATED","entityType":"own_type","entityId":"x","entity":{"n":[1,2,{}]}}""",
        """{"type":"AUTH","token":"a.b.c"}""",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Mutated_frames_do_no_harm(int seed)
    {
        var random = new Random(seed);
        var client = await Open();
        for (var i = 0; i < 1_500; i++)
        {
            var bytes = Mutated(Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)]), random);
            try
            {
                // Binary, because a text frame that is no UTF-8 is the protocol's own fault and closes by itself.
                await client.SendBytes(bytes, WebSocketMessageType.Binary);
            }
            catch (WebSocketException)
            {
                client = await Again(client);
            }

            if (i % 100 == 99 && client.State is not WebSocketState.Open) client = await Again(client);
        }

        client = await Again(client);
        await client.Sync();
        foreach (var entry in (await Http().Pull()).GetProperty("entries").EnumerateArray()) Assert.True(SocketClient.Has(entry, "id") && SocketClient.Has(entry, "version"));
    }

    private async Task<SocketClient> Again(SocketClient before)
    {
        // Its own watching means nothing here: the client asks for anything at any time.
        clients.Remove(before);
        await before.DisposeAsync();
        return await Open();
    }

    private static byte[] Mutated(byte[] bytes, Random random)
    {
        var list = bytes.ToList();
        for (var n = random.Next(4); n > 0 && list.Count > 1; n--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(5))
            {
                case 0: list[at] = (byte)random.Next(256); break;
                case 1: list.RemoveAt(at); break;
                case 2: list.Insert(at, (byte)"{}[]\",:0-e\\ntf"[random.Next(14)]); break;
                case 3: list.RemoveRange(at, random.Next(list.Count - at)); break;
                default: list.InsertRange(at, list.GetRange(at, random.Next(list.Count - at))); break;
            }
        }

        return [.. list];
    }
}
