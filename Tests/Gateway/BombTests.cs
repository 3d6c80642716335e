using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Gateway;

/// <summary>Alone, because what is measured is the whole process.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
[Collection("alone")]
public sealed class BombTests
{
    [Fact]
    public async Task A_bomb_is_not_unpacked_beyond_the_limit()
    {
        await using var edge = await Edge.Start();
        var bomb = BodyTests.Packed(new byte[400 * 1024 * 1024], "gzip");
        // What other tests left running only adds to it: the least of three is the request's own.
        var least = long.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await (await edge.Client.SendAsync(BodyTests.Push(bomb, "gzip"))).Problem(413, "BODY_TOO_LARGE");
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.InRange(least, 0, 4L * Limits.BodyBytesMax);
    }
}
