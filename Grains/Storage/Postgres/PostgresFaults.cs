using System.Net.Sockets;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// Turns the world's failures into one exception with a reason class. Messages of the server stay in the inner exception.
/// </summary>
internal static class PostgresFaults
{
    /// <summary>Raised by <c>sync_receipt_taken()</c>; see Migrations/Postgres.</summary>
    public const string ReceiptTaken = "MS001";

    public static bool IsFault(Exception e) => e is NpgsqlException or SocketException or IOException or TimeoutException && !IsBug(e);

    /// <summary>
    /// A statement that is wrong, or data that breaks it, will be so again: no retry helps. A missing table only waits for its migration.
    /// </summary>
    private static bool IsBug(Exception e) =>
        e is PostgresException { SqlState: [_, _, ..] state } && state[..2] is "22" or "23" or "42" && state is not "42P01";

    /// <summary>The server has undone the whole transaction and said so.</summary>
    public static bool IsUndone(Exception e) => e is PostgresException { InvariantSeverity: "ERROR" };

    public static bool IsReceiptTaken(Exception e) => e is PostgresException { SqlState: ReceiptTaken };

    /// <summary>A failure before anything was sent, or of a statement that changes nothing: what happened is known.</summary>
    public static StoreUnavailableException Known(Exception e) => new(Reason(e), outcomeUnknown: false, e);

    /// <summary>
    /// A failure of a commit that may have been sent. Only an ERROR of the server says that it was rolled back; a FATAL one may
    /// come from a session that was ended after its commit, and a lost connection says nothing.
    /// </summary>
    public static StoreUnavailableException FromCommit(Exception e) =>
        new(Reason(e), outcomeUnknown: !IsUndone(e), e);

    private static string Reason(Exception e) => e switch
    {
        PostgresException server => FindReason(server.SqlState),
        _ when e.Message.Contains("pool has been exhausted", StringComparison.Ordinal) => "pool",
        _ when e is TimeoutException || e.InnerException is TimeoutException => "timeout",
        _ => "unreachable",
    };

    private static string FindReason(string sqlState) => sqlState switch
    {
        "53100" or "53400" or "54000" or "58030" => "full",
        "25006" => "read_only",
        "53300" => "pool",
        "53200" or "53000" => "overload",
        "57014" or "55P03" or "25P03" or "25P04" or "57P05" => "timeout",
        "40001" or "40P01" => "contention",
        _ => "unreachable",
    };
}
