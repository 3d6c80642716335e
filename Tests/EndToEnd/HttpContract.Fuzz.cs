using System.Net.Http.Headers;
using Mirubato.Tests.Sockets;

namespace Mirubato.Tests.EndToEnd;

public abstract partial class HttpContract
{
    private const int BodiesOfAUser = 2_000;

    private static readonly (string Path, string[] Bodies)[] Sensible =
    [
        ("/api/sync/push",
        [
            """{"changes":{"entries":[{"id":"e","notes":"é€😀","type":"PRACTICE","pieces":[{"title":"T"}],"updatedAt":1},{"id":"f","deletedAt":"2026-01-01T00:00:00Z"}]},"lastSyncToken":"x"}""",
            """{"changes":{"goals":[{"id":"g","updatedAt":1700000000000,"goalIds":["a"]}],"repertoire":[{"scoreId":"A - B"}],"preferences":{"theme":"dark"}}}""",
            """{"changes":{"practicePlans":[{"id":"p","baseVersion":1}],"planOccurrences":[{"id":"o","planId":"p"}],"planTemplates":[null,{"id":"t"}],"widgets":[1]}}""",
        ]),
        (
            "/api/sync/batch",
            ["""{"entities":[{"type":"goal","id":"g","data":{"id":"g","n":1},"checksum":"c","version":1},{"type":"own_type","id":"x","data":{"a":[{}]}},{"type":"logbook_entry","id":"e","deleted":true}]}"""]),
        ("/api/sync/pull", ["""{"since":"00000000000000000000000000000000.3","types":["goal"],"limit":5}"""]),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Mutated_bodies_do_no_harm(int seed)
    {
        var random = new Random(seed);
        for (var left = Fuzzed.Runs(400); left > 0; left -= BodiesOfAUser)
        {
            var of = $"fuzzed-{left}-{user}";
            var http = Device(null, of);
            for (var i = Math.Min(left, BodiesOfAUser); i > 0; i--)
            {
                var (path, bodies) = Sensible[random.Next(Sensible.Length)];
                var status = await Post(http, path, Fuzzed.Mutate(bodies, random));
                Assert.True(status is 200 or 400 or 409 or 413 or 415 or 422, $"{status} at {path}, seed {seed}, body {left - i}");
            }

            await Fuzzed.Check(http, of);
        }
    }

    private static async Task<int> Post(HttpDevice http, string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await http.Post(path, content);
    }
}
