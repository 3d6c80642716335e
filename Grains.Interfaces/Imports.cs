namespace Mirubato.Grains.Interfaces;

/// <summary>What to import.</summary>
/// <param name="Path">A SQLite database; each silo that is to do the work must find it under this path.</param>
/// <param name="DryRun">Check every row and store nothing.</param>
/// <param name="DeleteFile">The file was made for this import and goes with its end.</param>
[GenerateSerializer, Immutable, Alias("mirubato.import-order")]
public sealed record ImportOrder(
    [property: Id(0)] string Path, [property: Id(1)] bool DryRun = false, [property: Id(2)] bool DeleteFile = false);

/// <summary>The import that has begun, or why none has and what to do about it.</summary>
/// <param name="IsMissing">The silo that was asked finds no such file; the next call may reach another one.</param>
[GenerateSerializer, Immutable, Alias("mirubato.import-start")]
public sealed record ImportStart(
    [property: Id(0)] ImportReport? Import, [property: Id(1)] string? Problem = null, [property: Id(2)] bool IsMissing = false);

public enum ImportStatus
{
    Running,
    Done,

    /// <summary>It cannot go on; <see cref="ImportReport.Problem"/> says why. What was stored stays.</summary>
    Failed,
    Cancelled,
}

/// <summary>How far an import has come. Times are Unix ms.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.import-report")]
public sealed record ImportReport([property: Id(0)] string Id, [property: Id(1)] ImportOrder Order, [property: Id(2)] long StartedMs)
{
    [Id(3)]
    public ImportStatus Status { get; init; }

    [Id(4)]
    public long? FinishedMs { get; init; }

    /// <summary>The highest revision of the old backend. Every user's revisions here begin above it.</summary>
    [Id(5)]
    public long OldSequence { get; init; }

    [Id(6)]
    public long UsersTotal { get; init; }

    [Id(7)]
    public long UsersDone { get; init; }

    [Id(8)]
    public long RowsTotal { get; init; }

    [Id(9)]
    public long RowsDone { get; init; }

    /// <summary>Rows that changed something here. A batch that was cut off counts as unchanged when it is done again.</summary>
    [Id(10)]
    public long Changed { get; init; }

    /// <summary>Rows that were here already.</summary>
    [Id(11)]
    public long Unchanged { get; init; }

    /// <summary>Rows that were not stored; the pages name each with its reason.</summary>
    [Id(12)]
    public long Refused { get; init; }

    /// <summary>How many <see cref="IImportPageGrain"/> there are.</summary>
    [Id(13)]
    public int Pages { get; init; }

    /// <summary>Tables of the file that have rows and are not taken over, with the number of rows.</summary>
    [Id(14)]
    public ImportTable[] PassedOver { get; init; } = [];

    /// <summary>Why it failed, or what a running one waits for, with the remedy.</summary>
    [Id(15)]
    public string? Problem { get; init; }
}

[GenerateSerializer, Immutable, Alias("mirubato.import-table")]
public sealed record ImportTable([property: Id(0)] string Name, [property: Id(1)] long Rows);

/// <summary>A row that was not stored.</summary>
/// <param name="Row">Its rowid in <c>sync_data</c>.</param>
/// <param name="Item">Where the reason is <see cref="ImportReason.Item"/>: what the coordinator says.</param>
[GenerateSerializer, Immutable, Alias("mirubato.import-refusal")]
public sealed record ImportRefusal(
    [property: Id(0)] long Row, [property: Id(1)] string? User, [property: Id(2)] string? Type, [property: Id(3)] string? EntityId,
    [property: Id(4)] ImportReason Reason, [property: Id(5)] ItemRefusal Item = ItemRefusal.None);

/// <summary>Why a row was not stored.</summary>
public enum ImportReason
{
    /// <summary>As an item that a device sends; see <see cref="ImportRefusal.Item"/>.</summary>
    Item,

    /// <summary><c>user_id</c> is no usable id.</summary>
    UserId,

    /// <summary>The table <c>users</c> has no such user.</summary>
    UnknownUser,

    /// <summary><c>deleted_at</c> is not null and no time.</summary>
    DeletedAt,

    /// <summary>The coordinator failed on this row alone; its log says why.</summary>
    Failed,
}
