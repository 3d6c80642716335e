using System.Net.WebSockets;

namespace Mirubato.Tests.Sockets;

public abstract partial class SocketContract
{
    private const int FramesOfAUser = 2_500;
    private const int FramesAtOnce = 10;
    private const long MemoryGrowthMax = 16 * 1024 * 1024;

    private static readonly string[] Sensible =
    [
        """{"type":"ENTRY_CREATED","mutationId":"m","timestamp":"2026-01-01T00:00:00.000Z","entry":{"id":"e","notes":"é€😀","pieces":[{"title":"T"}],"updatedAt":1}}""",
        """{"type":"ENTRY_UPDATED","deviceId":"d","entry":{"id":"e","type":"PRACTICE","mood":"Good","scoreTitle":"S","goal_ids":["g"],"updated_at":"2026-01-01"}}""",
        """{"type":"ENTRY_DELETED","entryId":"e","timestamp":1700000000000}""",
        """{"type":"GOAL_UPDATED","goal":{"id":"g","instrument":"PIANO","updatedAt":1700000000000,"deletedAt":null}}""",
        """{"type":"GOAL_DELETED","goalId":"g"}""",
        """{"type":"PLAN_UPDATED","plan":{"id":"p"},"occurrences":[{"id":"o","planId":"p"}]}""",
        """{"type":"PLAN_OCCURRENCE_COMPLETED","occurrence":{"id":"o","plan_id":"p","metrics":{"a":[1]}}}""",
        """{"type":"BULK_SYNC","entries":[{"id":"a"},{"id":"b","deletedAt":null}]}""",
        """{"type":"REPERTOIRE_BULK_SYNC","pieces":[{"scoreId":"A - B"},{"score_id":"c||d","updatedAt":"2026-01-01T00:00:00+02:00"}]}""",
        """{"type":"SYNC_REQUEST","lastSeq":3,"lastSyncTime":"x"}""",
        """{"type":"PIECE_REMOVED","scoreId":"a-b","baseVersion":1e3}""",
        """{"type":"TEMPLATE_UPDATED","template":{"id":"t","version":3}}""",
        """{"type":"PREFERENCES_UPDATED","preferences":{"theme":"dark","userId":"x"}}""",
        """{"type":"ENTITY_UPDATED","entityType":"own_type","entityId":"x","entity":{"n":[1,2,{}]}}""",
        """{"type":"ENTITY_DELETED","entityType":"own_type","entityId":"x"}""",
        """{"type":"AUTH","token":"a.b.c"}""",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Mutated_frames_do_no_harm(int seed)
    {
        var random = new Random(seed);
        var live = new List<long>();
        for (var left = Fuzzed.Runs(1_500); left > 0; left -= FramesOfAUser)
        {
            var of = $"fuzzed-{left}-{user}";
            await Fuzz(of, Math.Min(left, FramesOfAUser), random);
            using var http = Server().Device(of, null);
            await Fuzzed.Check(http, of);
            live.Add(GC.GetTotalMemory(forceFullCollection: true));
        }

        // Only a long run tells, and only when nothing else runs beside it.
        if (live.Count > 4) Assert.True(live[^1] - live[1] < MemoryGrowthMax, $"live bytes after each user: {string.Join(' ', live)}");
        if (live.Count > 4) await Console.Out.WriteLineAsync($"live bytes after each user: {string.Join(' ', live)}");
    }

    /// <summary>A socket at a time: it bears so many frames of nonsense a minute, and each frame is to be looked at.</summary>
    private async Task Fuzz(string of, int frames, Random random)
    {
        var (client, nonsense) = (await Anyhow(of), 0);
        for (var i = 0; i < frames; i += FramesAtOnce)
        {
            // Binary, because a text frame that is no UTF-8 is the protocol's own fault and closes by itself.
            for (var n = 0; n < FramesAtOnce; n++) await client.SendBytes(Fuzzed.Mutate(Sensible, random), WebSocketMessageType.Binary);
            foreach (var frame in await client.Settle())
            {
                if (SocketClient.Type(frame) != "ERROR") continue;
                Assert.NotEqual("INTERNAL", Text(frame, "code"));
                if (Text(frame, "code") == "INVALID_JSON") nonsense++;
            }

            if (nonsense < FramesAtOnce - 1 && client.Seen.Count < 1_500) continue;
            await client.DisposeAsync();
            (client, nonsense) = (await Anyhow(of), 0);
        }

        await client.DisposeAsync();
    }

    /// <summary>Its own watching means nothing here: the client asks for anything at any time.</summary>
    private async Task<SocketClient> Anyhow(string of)
    {
        var client = await SocketClient.Open(Server().Url, of);
        await client.Next("WELCOME");
        // Before it asks, errors wait with everything else.
        await client.Sync();
        return client;
    }
}
