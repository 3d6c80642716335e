using System.Text;

namespace Mirubato.Tests.Telemetry;

/// <summary>A span as it crossed the wire; ids in lower-case hex.</summary>
/// <param name="Service">The <c>service.name</c> of the process that sent it.</param>
/// <param name="Parent">Empty for the root of a trace.</param>
/// <param name="Linked">The traces of linked spans.</param>
internal sealed record OtlpSpan(string Service, string Trace, string Id, string Parent, string Name, IReadOnlyList<string> Linked)
{
    /// <summary>The spans of an <c>ExportTraceServiceRequest</c>: opentelemetry/proto/trace/v1/trace.proto.</summary>
    public static IEnumerable<OtlpSpan> Read(byte[] request)
    {
        foreach (var resource in Messages(request, 1))
        {
            var service = Messages(resource, 1).SelectMany(one => Messages(one, 1)).Where(pair => Text(pair, 1) == "service.name")
                .Select(pair => Text(Messages(pair, 2).Single(), 1)).SingleOrDefault("");
            foreach (var span in Messages(resource, 2).SelectMany(scope => Messages(scope, 2)))
            {
                yield return new OtlpSpan(
                    service, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), [.. Messages(span, 13).Select(link => Hex(link, 1))]);
            }
        }
    }

    /// <summary>The names in an <c>ExportMetricsServiceRequest</c>.</summary>
    public static IEnumerable<string> ReadMetrics(byte[] request) =>
        Messages(request, 1).SelectMany(resource => Messages(resource, 2)).SelectMany(scope => Messages(scope, 2))
            .Select(metric => Text(metric, 1));

    private static string Text(ReadOnlyMemory<byte> message, int field) =>
        Encoding.UTF8.GetString(Messages(message, field).FirstOrDefault().Span);

    private static string Hex(ReadOnlyMemory<byte> message, int field) =>
        Convert.ToHexStringLower(Messages(message, field).FirstOrDefault().Span);

    /// <summary>The length-delimited values of a field; all else is stepped over.</summary>
    private static List<ReadOnlyMemory<byte>> Messages(ReadOnlyMemory<byte> message, int field)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message.Span, ref at);
            switch (key & 7)
            {
                case 0:
                    Varint(message.Span, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    var length = (int)Varint(message.Span, ref at);
                    if ((int)(key >> 3) == field) found.Add(message.Slice(at, length));
                    at += length;
                    break;
            }
        }

        return found;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        var (value, shift) = (0UL, 0);
        while (true)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
            shift += 7;
        }
    }
}
