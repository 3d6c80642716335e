namespace Mirubato.Cli;

internal enum ExitCode
{
    Done = 0,

    /// <summary>It was not done, or something is red.</summary>
    Failed = 1,

    /// <summary>The command line itself is wrong, or lacks a confirmation.</summary>
    Usage = 2,

    /// <summary>The server, the database or a needed program cannot be reached.</summary>
    Unreachable = 3,

    /// <summary>The credentials do not count.</summary>
    Refused = 4,
}

/// <summary>Why a command ends without having done its work. The message says what to do.</summary>
internal sealed class CommandFailedException(ExitCode code, string message) : Exception(message)
{
    public ExitCode Code { get; } = code;
}
