using System.Buffers;

namespace Mirubato.Gateway.Wire;

/// <summary>One outgoing frame, written member by member. What it returns is never written to again, so receivers may share it.</summary>
internal sealed class FrameWriter
{
    private readonly ArrayBufferWriter<byte> bytes;

    public FrameWriter(string type, string timestamp, int about = 0)
    {
        bytes = new ArrayBufferWriter<byte>(about + 256);
        bytes.Write("{\"type\":"u8);
        EntitySections.Quoted(bytes, type);
        Text("timestamp", timestamp);
    }

    public int Length => bytes.WrittenCount;

    public FrameWriter Text(string name, string? value)
    {
        if (value is null) return this;
        Name(name);
        EntitySections.Quoted(bytes, value);
        return this;
    }

    public FrameWriter Number(string name, long? value)
    {
        if (value is not { } number) return this;
        Name(name);
        EntitySections.Number(bytes, number);
        return this;
    }

    public FrameWriter True(string name)
    {
        Name(name);
        bytes.Write("true"u8);
        return this;
    }

    public FrameWriter Json(string name, ReadOnlySpan<byte> json)
    {
        Name(name);
        bytes.Write(json);
        return this;
    }

    /// <summary>The members of a JSON object that is ready, without its braces.</summary>
    public FrameWriter Members(ReadOnlySpan<byte> json)
    {
        if (json.Length <= 2) return this;
        bytes.Write(","u8);
        bytes.Write(json[1..^1]);
        return this;
    }

    public FrameWriter Documents(string name, IEnumerable<StoredRow> rows)
    {
        Name(name);
        bytes.Write("["u8);
        var first = true;
        foreach (var row in rows) EntitySections.Item(bytes, row, ref first);
        bytes.Write("]"u8);
        return this;
    }

    public ReadOnlyMemory<byte> End()
    {
        bytes.Write("}"u8);
        return bytes.WrittenMemory;
    }

    private void Name(string name)
    {
        bytes.Write(","u8);
        EntitySections.Quoted(bytes, name);
        bytes.Write(":"u8);
    }
}
