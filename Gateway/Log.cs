namespace Mirubato.Gateway;

/// <summary>Everything the Gateway logs by itself. No token, no document, no id of a user but in what operators did.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed and was answered 500")]
    public static partial void Unhandled(ILogger log, string method, string path, Exception failure);

    [LoggerMessage(2, LogLevel.Warning, "The store is unavailable ({Reason}); requests are answered 503")]
    public static partial void StoreUnavailable(ILogger log, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The answer to {Path} was cut short, because it failed after it had begun")]
    public static partial void CutShort(ILogger log, string path, Exception failure);

    [LoggerMessage(4, LogLevel.Warning, "Not ready: the store did not answer a ping")]
    public static partial void NotReady(ILogger log, Exception failure);

    [LoggerMessage(5, LogLevel.Warning, "Tokens are signed with a generated development secret in {Directory}; set Auth:Secret for "
        + "anything else")]
    public static partial void DevelopmentSecret(ILogger log, string directory);

    [LoggerMessage(6, LogLevel.Error, "A socket failed; its client connects again and goes on where it was")]
    public static partial void SocketFailed(ILogger log, Exception failure);

    [LoggerMessage(7, LogLevel.Debug, "A user's connections could not be reported to the user's coordinator; they are reported again")]
    public static partial void RosterNotReported(ILogger log, Exception failure);

    [LoggerMessage(8, LogLevel.Information, "Closing {Sockets} sockets before the process stops")]
    public static partial void Draining(ILogger log, int sockets);

    [LoggerMessage(9, LogLevel.Warning, "The keys of Auth:Authority could not be read; tokens whose key is not known are answered 503 "
        + "AUTHORITY_UNAVAILABLE")]
    public static partial void AuthorityUnavailable(ILogger log, Exception failure);

    // The following two name whom they are about; they are of the category Mirubato.Audit alone.
    [LoggerMessage(10, LogLevel.Information, "Operator '{Who}' did {Action} to {Whom}")]
    public static partial void OperatorDid(ILogger log, string who, string action, string whom);

    [LoggerMessage(11, LogLevel.Warning, "Operator '{Who}' tried {Action} to {Whom}: {Outcome}")]
    public static partial void OperatorFailed(ILogger log, string who, string action, string whom, string outcome);

    [LoggerMessage(12, LogLevel.Information, "The first use that a start makes of its code failed, for instance because the folder for "
        + "temporary files is read-only. The first requests take up to 0.4 s longer")]
    public static partial void FirstUseFailed(ILogger log, Exception failure);
}
