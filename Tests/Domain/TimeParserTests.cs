using System.Text;
using Mirubato.Gateway.WebApp;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

public sealed class TimeParserTests
{
    [Theory]
    [InlineData("2025-09-09T06:40:00.123Z", "2025-09-09T06:40:00.123Z")]
    [InlineData("2025-09-09T06:40:00Z", "2025-09-09T06:40:00.000Z")]
    [InlineData("2025-09-09T06:40Z", "2025-09-09T06:40:00.000Z")]
    [InlineData("2025-09-09T06:40:00.1Z", "2025-09-09T06:40:00.100Z")]
    [InlineData("2025-09-09T06:40:00.123456789Z", "2025-09-09T06:40:00.123Z")]
    [InlineData("2025-09-09T06:40:00.123+02:00", "2025-09-09T04:40:00.123Z")]
    [InlineData("2025-09-09T06:40:00-0530", "2025-09-09T12:10:00.000Z")]
    [InlineData("2025-09-09T06:40:00+02", "2025-09-09T04:40:00.000Z")]
    [InlineData("2025-09-09T06:40:00.123", "2025-09-09T06:40:00.123Z")]
    [InlineData("2025-09-09 06:40:00", "2025-09-09T06:40:00.000Z")]
    [InlineData("2025-09-09", "2025-09-09T00:00:00.000Z")]
    [InlineData("2025-09-09T00:00:00.000Z", "2025-09-09T00:00:00.000Z")]
    [InlineData("2025-09-09T00:00:00+02:00", "2025-09-08T22:00:00.000Z")]
    [InlineData("2025-09-09T02:00:00+02:00", "2025-09-09T00:00:00.000Z")]
    [InlineData("2024-02-29", "2024-02-29T00:00:00.000Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z")]
    [InlineData("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z")]
    [InlineData("1757400000123", "2025-09-09T06:40:00.123Z")]
    public void A_written_time_is_read(string text, string utc)
    {
        Assert.Equal(utc, IsoTime.Text(TimeParser.ParseText(Encoding.UTF8.GetBytes(text))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("2025-02-30")]
    [InlineData("2025-13-01")]
    [InlineData("0000-01-01")]
    [InlineData("2025-09-09T24:00:00Z")]
    [InlineData("2025-09-09T06:60:00Z")]
    [InlineData("2025-09-09T06:40:60Z")]
    [InlineData("2025-09-09T06:40:00.Z")]
    [InlineData("2025-09-09T06:40:00.1234567890Z")]
    [InlineData("2025-09-09T06:40:00Zx")]
    [InlineData("2025-09-09T06:40:00+2")]
    [InlineData("0001-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:59-01:00")]
    [InlineData("+275760-09-13T00:00:00.000Z")]
    [InlineData("8640000000000000")]
    [InlineData("1-2")]
    public void A_text_that_is_no_time_is_read_as_no_time(string text) => Assert.Null(TimeParser.ParseText(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("1757400000123", 1757400000123)]
    [InlineData("1757400000123.9", 1757400000123)]
    [InlineData("-0.5", -1L)]
    [InlineData("1.7574e12", 1757400000000)]
    [InlineData("0", 0L)]
    [InlineData("253402300799999", 253402300799999)]
    [InlineData("253402300800000", null)]
    [InlineData("-62135596800000", -62135596800000)]
    [InlineData("-62135596800001", null)]
    [InlineData("8640000000000000", null)] // The last moment of ECMAScript, in the year 275760.
    [InlineData("1e300", null)]
    public void A_number_is_epoch_milliseconds_rounded_down(string number, long? ms) =>
        Assert.Equal(ms, TimeParser.ParseNumber(Encoding.UTF8.GetBytes(number)));

    [Theory]
    [InlineData(long.MaxValue, "9999-12-31T23:59:59.999Z")]
    [InlineData(long.MinValue, "0001-01-01T00:00:00.000Z")]
    [InlineData(-1, "1969-12-31T23:59:59.999Z")]
    public void A_time_goes_out_as_ISO_whatever_it_is(long ms, string text) => Assert.Equal(text, IsoTime.Text(ms));

    [Fact]
    public void What_is_written_reads_back()
    {
        var random = new Random(3);
        for (var i = 0; i < 10_000; i++)
        {
            var ms = random.NextInt64(IsoTime.MinMs, IsoTime.MaxMs + 1);
            Assert.Equal(ms, TimeParser.ParseText(Encoding.UTF8.GetBytes(IsoTime.Text(ms))));
            Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-ddTHH:mm:ss.fffZ"), IsoTime.Text(ms));
        }
    }

    /// <summary>The web app's calls and the socket read times as documents do: an American date is none.</summary>
    [Theory]
    [InlineData("\"01/02/2026\"", null)]
    [InlineData("\"2026-02-01\"", 1769904000000)]
    [InlineData("1769904000000", 1769904000000)]
    [InlineData("1e300", null)]
    [InlineData("true", null)]
    public void The_web_app_reads_a_time_as_documents_do(string json, long? expected) =>
        Assert.Equal(expected, new JsonValue(Encoding.UTF8.GetBytes(json)).TimeMs());
}
