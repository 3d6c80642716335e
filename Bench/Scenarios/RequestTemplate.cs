using System.Buffers.Text;
using System.Security.Cryptography;

namespace Mirubato.Bench.Scenarios;

/// <summary>
/// A whole request, head and body, as the bytes that go out. What differs from one sending to the next has a fixed
/// width, so a new request is a few digits written into the old one: no serializer, no allocation, no new length.
/// </summary>
/// <param name="Bytes">The request.</param>
/// <param name="Items">How many items of new content one sending holds: it takes as many numbers.</param>
/// <param name="Slots">The places that change; none for a request that is always the same.</param>
internal sealed record RequestTemplate(byte[] Bytes, int Items, Slots Slots)
{
    public const int NumberWidth = 12;
    public const int TimeWidth = 24;
    public const int ChecksumWidth = 64;

    /// <summary>A copy that one worker may fill while others fill theirs.</summary>
    public RequestTemplate Own() => Slots.IsEmpty ? this : this with { Bytes = [.. Bytes] };

    /// <summary>The same bytes from now on, whoever sends them.</summary>
    public RequestTemplate Freeze() => this with { Slots = Slots.None };

    /// <summary>Makes the content new: numbers from <paramref name="first"/> on, the time, then the checksums over both.</summary>
    public void Fill(long first, DateTimeOffset now)
    {
        foreach (var (offset, item, among) in Slots.Numbers)
            Utf8Formatter.TryFormat((first + item) % among, Bytes.AsSpan(offset, NumberWidth), out _, new('D', NumberWidth));

        Span<byte> time = stackalloc byte[TimeWidth];
        now.UtcDateTime.TryFormat(time, out _, "yyyy-MM-ddTHH:mm:ss.fffZ");
        foreach (var offset in Slots.Times)
            time.CopyTo(Bytes.AsSpan(offset));

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        foreach (var (offset, document) in Slots.Checksums)
        {
            SHA256.HashData(Bytes.AsSpan()[document], hash);
            Convert.TryToHexStringLower(hash, Bytes.AsSpan(offset, ChecksumWidth), out _);
        }
    }
}

/// <summary>
/// Where a template changes. A number comes again after <c>Among</c> others; a checksum's range is the document it is computed over.
/// </summary>
internal sealed record Slots(
    IReadOnlyList<(int Offset, int Item, long Among)> Numbers,
    IReadOnlyList<int> Times,
    IReadOnlyList<(int Offset, Range Document)> Checksums)
{
    public static readonly Slots None = new([], [], []);

    public bool IsEmpty => Numbers.Count == 0 && Times.Count == 0 && Checksums.Count == 0;
}
