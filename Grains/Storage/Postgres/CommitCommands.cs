using Mirubato.Grains.Domain;
using Npgsql;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// The statements of commits, used again and again: some forty parameters of a commit, made anew and asked for their types each time, were
/// a sixth of what a push allocates.
/// </summary>
internal sealed class CommitCommands
{
    /// <summary>Of each form. What is kept holds no documents.</summary>
    private const int KeptMax = 64;

    private readonly Lock gate = new();
    private readonly Stack<CommitCommand>[] kept = [.. Enumerable.Range(0, CommitSql.FormCount).Select(_ => new Stack<CommitCommand>())];

    public CommitCommand Take(UserId user, Commit commit)
    {
        var parameters = new CommitParameters(user, commit);
        CommitCommand? command;
        lock (gate) kept[(int)parameters.Parts].TryPop(out command);
        command ??= new CommitCommand(parameters.Parts, new NpgsqlBatchCommand());

        // Set each time: it may have been prepared on another connection.
        command.Statement.CommandText = CommitSql.For(parameters.Parts);
        parameters.WriteTo(command.Statement.Parameters);
        return command;
    }

    /// <summary>Gives back what was executed, and is executed no more.</summary>
    public void Return(CommitCommand command)
    {
        foreach (NpgsqlParameter parameter in command.Statement.Parameters)
        {
            if (parameter is NpgsqlParameter<ReadOnlyMemory<byte>> bytes) bytes.TypedValue = default;
            else if (parameter is NpgsqlParameter<ReadOnlyMemory<byte>[]> list) list.TypedValue = null;
        }

        var form = kept[(int)command.Parts];
        lock (gate)
        {
            if (form.Count < KeptMax) form.Push(command);
        }
    }
}

internal sealed record CommitCommand(CommitParts Parts, NpgsqlBatchCommand Statement);
