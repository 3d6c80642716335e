using Microsoft.Data.Sqlite;

namespace Mirubato.Grains.Storage.Sqlite;

/// <summary>Turns the failures of the file beneath into the exception that becomes a 503.</summary>
internal static class SqliteFaults
{
    private const int Busy = 5;
    private const int Locked = 6;
    private const int NoMemory = 7;
    private const int ReadOnly = 8;
    private const int Full = 13;
    private const int Constraint = 19;
    private const int Mismatch = 20;
    private const int Misuse = 21;
    private const int Range = 25;

    /// <summary>What the world does to a database, not what a wrong statement does.</summary>
    public static bool IsFault(Exception e) =>
        e is IOException or SqliteException { SqliteErrorCode: not (1 or Constraint or Mismatch or Misuse or Range) };

    public static StoreUnavailableException Known(Exception e) => new(Reason(e), outcomeUnknown: false, e);

    /// <summary>A COMMIT that failed may have reached the disk all the same.</summary>
    public static StoreUnavailableException FromCommit(Exception e) => new(Reason(e), outcomeUnknown: true, e);

    private static string Reason(Exception e) => (e as SqliteException)?.SqliteErrorCode switch
    {
        Busy or Locked => "contention",
        NoMemory => "overload",
        ReadOnly => "read_only",
        Full => "full",
        _ => "unreachable",
    };
}
