using System.Buffers;
using System.Globalization;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>The members of a pull's answer after its entities.</summary>
internal static class PullWriter
{
    public static string Digest(HistoryState history) => history.Digest.ToString("x32", CultureInfo.InvariantCulture);

    /// <param name="token">As far as the client is after this answer.</param>
    /// <param name="whole">The answer is of one moment and goes up to the head: then its digest means something.</param>
    public static void Tail(IBufferWriter<byte> to, SyncToken token, DateTimeOffset now, HistoryState? whole, bool hasMore, bool reset)
    {
        to.Write(",\"syncToken\":"u8);
        EntitySections.Quoted(to, token.ToString());
        to.Write(",\"lastSeq\":"u8);
        EntitySections.Number(to, token.Seq.Number);
        to.Write(",\"timestamp\":"u8);
        EntitySections.Quoted(to, IsoTime.Text(now));
        if (whole is not null)
        {
            to.Write(",\"digest\":"u8);
            EntitySections.Quoted(to, Digest(whole));
        }

        to.Write(",\"schemaVersion\":"u8);
        EntitySections.Number(to, ProtocolVersion.Current);
        to.Write(hasMore ? ",\"hasMore\":true"u8 : ",\"hasMore\":false"u8);
        if (reset) to.Write(",\"reset\":true"u8);
        to.Write("}"u8);
    }
}
