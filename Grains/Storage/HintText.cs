using System.Buffers.Text;
using System.Globalization;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Grains.Storage;

/// <summary>
/// Hints as text: a line each, under a head line that names the version and the sender. Ids have no control characters, so a line and a
/// tab separate. Lines of a kind this build does not know are skipped, and so is a whole text of another version: hints may be lost.
/// </summary>
internal static class HintText
{
    private const char Version = '1';
    private const int EpochChars = 22;

    /// <summary>What every text of that sender begins with.</summary>
    public static string Head(ProcessName sender) => $"{Version}{sender.Value}\n";

    public static string Line(Hint hint) => hint switch
    {
        HeadMoved moved => string.Create(CultureInfo.InvariantCulture, $"H{Text(moved.Head.Epoch)}{moved.Head.Seq}\t{moved.User}\n"),
        SignedOut signedOut => string.Create(CultureInfo.InvariantCulture, $"S{signedOut.NotBeforeMs}\t{signedOut.User}\n"),
        DeviceRevoked revoked => $"R{revoked.Device}\t{revoked.User}\n",
        Evicted evicted => $"E{evicted.ConnectionId}\t{evicted.User}\n",
        _ => throw new ArgumentOutOfRangeException(nameof(hint), hint, null),
    };

    public static IEnumerable<Hint> Read(string text)
    {
        if (!text.StartsWith(Version)) yield break;
        foreach (var line in text.Split('\n').Skip(1))
        {
            if (HintOf(line) is { } hint) yield return hint;
        }
    }

    private static Hint? HintOf(string line)
    {
        var tab = line.IndexOf('\t', StringComparison.Ordinal);
        if (tab < 2 || tab == line.Length - 1) return null;
        var user = new UserId(line[(tab + 1)..]);
        var what = line[1..tab];
        return line[0] switch
        {
            'H' => HeadOf(what) is { } head ? new HeadMoved(user, head) : null,
            'S' => NumberOf(what) is { } notBeforeMs ? new SignedOut(user, notBeforeMs) : null,
            'R' => new DeviceRevoked(user, new DeviceId(what)),
            'E' => new Evicted(user, what),
            _ => null,
        };
    }

    private static SyncToken? HeadOf(string what)
    {
        Span<byte> epoch = stackalloc byte[16];
        if (what.Length <= EpochChars || NumberOf(what.AsSpan(EpochChars)) is not { } seq) return null;
        if (!Base64Url.IsValid(what.AsSpan(0, EpochChars), out var length) || length != epoch.Length) return null;
        Base64Url.DecodeFromChars(what.AsSpan(0, EpochChars), epoch);
        return new SyncToken(new Epoch(new Guid(epoch)), new Revision(seq));
    }

    private static long? NumberOf(ReadOnlySpan<char> digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Text(Epoch epoch)
    {
        Span<byte> bytes = stackalloc byte[16];
        epoch.Value.TryWriteBytes(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
