namespace Mirubato.Grains.Storage;

/// <summary>
/// Keeps the rows of a page within its bounds: so many rows, about <see cref="Limits.PageBytesMax"/> bytes, at least one row.
/// </summary>
internal sealed class PageBound(int rowsMax)
{
    private readonly List<StoredRow> rows = new(Math.Min(rowsMax, Limits.PageRowsMax));
    private long bytes;

    public List<StoredRow> Rows => rows;

    /// <summary>A row came that no longer fitted.</summary>
    public bool More { get; private set; }

    public bool Add(StoredRow row)
    {
        More = More || rows.Count >= rowsMax || (rows.Count > 0 && bytes >= Limits.PageBytesMax);
        if (More) return false;
        bytes += row.Data.Length;
        rows.Add(row);
        return true;
    }
}
