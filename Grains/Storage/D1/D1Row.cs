namespace Mirubato.Grains.Storage.D1;

/// <summary>A row of <c>sync_data</c> as it stands in the file. Text that is not there, or is no text, is null.</summary>
/// <param name="Data">The document, UTF-8; empty when it is no text or longer than any document may be.</param>
/// <param name="DataBytes">How long the document is in the file.</param>
internal sealed record D1Row(long RowId, string? User, string? Type, string? EntityId, byte[] Data, long DataBytes)
{
    public string? UpdatedAt { get; init; }

    /// <summary>Not null: the row is deleted.</summary>
    public string? DeletedAt { get; init; }

    public bool IsUserKnown { get; init; }
}

/// <summary>
/// A place among the rows of <c>sync_data</c>, which are read in the order of users. Null as user: among the rows whose user is no text,
/// which come first.
/// </summary>
internal readonly record struct D1Place(string? User, long RowId);

/// <summary>What there is in a file.</summary>
internal sealed record D1Totals(long Users, long Rows, long OldSequence, ImportTable[] PassedOver);

/// <summary>The file is not what an import expects. The message says what differs and what to do.</summary>
internal sealed class D1FileException(string message, Exception? inner = null) : Exception(message, inner);
