using Mirubato.Grains.Storage.D1;

namespace Mirubato.Grains;

/// <summary>The imports that are remembered, and where the running one stands. Stored after each batch.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.import-state")]
internal sealed record ImportState
{
    /// <summary>The newest first; only the first may be running.</summary>
    [Id(0)]
    public ImportReport[] Imports { get; init; } = [];

    /// <summary>The last user whose history was put above the old revisions; null once all were.</summary>
    [Id(1)]
    public string? UserCursor { get; init; }

    /// <summary>The last row that was done: its user, null before the first one whose user is text, and its rowid.</summary>
    [Id(2)]
    public string? RowUser { get; init; }

    [Id(3)]
    public long RowId { get; init; }

    /// <summary>What the file was when the import began.</summary>
    [Id(4)]
    public string File { get; init; } = "";

    /// <summary>The running import ends before its next batch.</summary>
    [Id(5)]
    public bool IsCancelled { get; init; }

    public ImportReport? Running => Imports is [{ Status: ImportStatus.Running } first, ..] ? first : null;

    public D1Place Place => new(RowUser, RowId);

    public ImportState Begin(ImportReport report, string file) => new()
    {
        Imports = [report, .. Imports.Take(Limits.ImportsRemembered - 1)],
        UserCursor = "",
        File = file,
    };

    /// <summary>The running import as it is now.</summary>
    public ImportState With(Func<ImportReport, ImportReport> change) => this with { Imports = [change(Imports[0]), .. Imports[1..]] };

    public ImportState End(ImportStatus status, long nowMs, string? problem = null) =>
        With(report => report with { Status = status, FinishedMs = nowMs, Problem = problem });

    public ImportState AfterUsers(IReadOnlyList<string> users) =>
        users.Count == 0
            ? this with { UserCursor = null }
            : (this with { UserCursor = users[^1] }).With(
                report => report with { UsersDone = report.UsersDone + users.Count, Problem = null });

    public ImportState AfterRows(IReadOnlyList<D1Row> rows, ImportTally tally) =>
        (this with { RowUser = rows[^1].User, RowId = rows[^1].RowId }).With(report => report with
        {
            RowsDone = report.RowsDone + rows.Count,
            Changed = report.Changed + tally.Changed,
            Unchanged = report.Unchanged + tally.Unchanged,
            Refused = report.Refused + tally.Refused.Count,
            Pages = report.Pages + (tally.Refused.Count > 0 ? 1 : 0),
            Problem = null,
        });
}

/// <summary>What became of the rows of one batch.</summary>
internal sealed class ImportTally
{
    private readonly List<ImportRefusal> refused = [];

    public int Changed { get; private set; }

    public int Unchanged { get; private set; }

    public IReadOnlyList<ImportRefusal> Refused => refused;

    public void Add(ItemStatus status)
    {
        if (status is ItemStatus.Unchanged) Unchanged++;
        else Changed++;
    }

    public void Refuse(D1Row row, ImportReason reason, ItemRefusal item = ItemRefusal.None) =>
        refused.Add(new ImportRefusal(row.RowId, row.User, row.Type, row.EntityId, reason, item));
}
