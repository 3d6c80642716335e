namespace Mirubato.Grains.Storage;

/// <summary>
/// Joins documents as the store returns them, ordered by type, until they are more than was asked for. Their bytes go from the driver's
/// buffer into pieces that the collector does not treat as large objects; nothing is kept of a row but its document.
/// </summary>
internal sealed class JoinedDocuments(LiveQuery query)
{
    private const int FirstChunkBytes = 4 * 1024;
    private const int ChunkBytesMax = 64 * 1024;

    private readonly List<TypeDocuments> types = [];
    private List<ReadOnlyMemory<byte>> chunks = [];
    private byte[] chunk = [];
    private int start;
    private int filled;
    private string? type;
    private int count;
    private int rows;
    private long bytes;

    private bool isTooMuch;

    /// <returns>Whether it still is what was asked for; once it is not, nothing more is taken.</returns>
    public bool Add(string entityType, ReadOnlySpan<byte> document)
    {
        rows++;
        bytes += document.Length;
        isTooMuch = isTooMuch || rows > query.RowsMax || bytes > query.BytesMax || document.Length > Limits.JoinedDocumentBytesMax;
        if (isTooMuch) return false;
        if (entityType != type) Begin(entityType);
        if (count++ > 0) Write(","u8);
        Write(document);
        return true;
    }

    public LiveDocuments ToLiveDocuments(HistoryState history)
    {
        Begin(null);
        return new LiveDocuments(history, isTooMuch ? null : types);
    }

    private void Begin(string? next)
    {
        Cut();
        if (type is not null) types.Add(new TypeDocuments(type, count, chunks));
        (type, count, chunks) = (next, 0, []);
    }

    private void Write(ReadOnlySpan<byte> from)
    {
        while (from.Length > 0)
        {
            if (filled == chunk.Length) Grow();
            var now = Math.Min(from.Length, chunk.Length - filled);
            from[..now].CopyTo(chunk.AsSpan(filled));
            filled += now;
            from = from[now..];
        }
    }

    private void Grow()
    {
        Cut();
        var size = Math.Clamp(chunk.Length * 4, FirstChunkBytes, ChunkBytesMax);
        (chunk, start, filled) = (GC.AllocateUninitializedArray<byte>(size), 0, 0);
    }

    private void Cut()
    {
        if (filled > start) chunks.Add(chunk.AsMemory(start, filled - start));
        start = filled;
    }
}
