using System.Text;
using System.Text.Json;
using Mirubato.Cli.Http;

namespace Mirubato.Cli;

/// <summary>Passes an export on, and remembers its last line, which says whether it is whole.</summary>
internal sealed class ExportedLines(Stream to) : WriteOnlyStream
{
    /// <summary>An end line is shorter.</summary>
    private const int EndBytesMax = 1024;

    private readonly List<byte> last = [];

    public bool AreWhole
    {
        get
        {
            try
            {
                return last is [.., (byte)'\n'] && JsonDocument.Parse(Encoding.UTF8.GetString([.. last])).RootElement.Text("kind") == "end";
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        to.Write(buffer);
        if (buffer.IsEmpty) return;
        var before = buffer[..^1].LastIndexOf((byte)'\n');
        if (before >= 0 || last is [.., (byte)'\n']) last.Clear();
        var tail = buffer[(before + 1)..];
        if (last.Count + tail.Length <= EndBytesMax) last.AddRange(tail);
    }

    public override void Flush() => to.Flush();
}
