using System.Text;
using Mirubato.Bench.Http;

namespace Mirubato.Tests.Bench;

public sealed class ResponseReaderTests
{
    private const string Sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\netag:  W/\"x\" \r\n\r\nhello";
    private const string Chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nA;ext=1\r\nlo, world!\r\n0\r\nTrailer: 1\r\n\r\n";
    private const string NotModified = "HTTP/1.1 304 Not Modified\r\nContent-Length: 4711\r\n\r\n";
    private const string Continued = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 422 Unprocessable\r\nContent-Length: 0\r\n\r\n";
    private const string Closing = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Answers_of_every_framing_follow_each_other_however_the_network_cuts_them(int packet)
    {
        var reader = Reader(Sized + Chunked + NotModified + Continued + Sized + Closing, packet);

        Assert.Equal((200, "hello", true), await Next(reader));
        Assert.Equal("W/\"x\"", Encoding.ASCII.GetString(reader.Header("ETag"u8)));
        Assert.Equal((200, "hello, world!", true), await Next(reader));
        Assert.True(reader.Header("ETag"u8).IsEmpty);
        Assert.Equal((304, "", true), await Next(reader));
        Assert.Equal((422, "", true), await Next(reader));
        Assert.Equal((200, "hello", true), await Next(reader));
        Assert.Equal((200, "until the end", false), await Next(reader));
    }

    [Fact]
    public async Task Of_a_long_body_only_what_was_asked_for_is_kept_but_all_is_counted()
    {
        var reader = Reader($"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{new string('x', 300_000)}{Sized}", 64 * 1024);

        await reader.Read(keepBytesMax: 10);
        Assert.Equal((300_000, 10), (reader.BodyLength, reader.Body.Length));
        Assert.Equal((200, "hello", true), await Next(reader));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("")]
    public async Task An_answer_that_breaks_off_or_is_none_is_an_error(string text) =>
        await Assert.ThrowsAsync<IOException>(async () => await Reader(text, 3).Read(100));

    [Fact]
    public async Task A_head_without_end_is_given_up() =>
        await Assert.ThrowsAsync<IOException>(
            async () => await Reader("HTTP/1.1 200 OK\r\nA: " + new string('a', 200_000), 5000).Read(100));

    private static ResponseReader Reader(string text, int packet) => new(new SplitStream(Encoding.ASCII.GetBytes(text), packet));

    private static async Task<(int, string, bool)> Next(ResponseReader reader)
    {
        await reader.Read(keepBytesMax: 1000);
        return (reader.Status, Encoding.ASCII.GetString(reader.Body), reader.MayReuse);
    }
}
