using Npgsql;
using NpgsqlTypes;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// The statements of commits and groups, used again and again: some forty parameters, made anew and asked for their types each time, were
/// a sixth of what a push allocates. Of each form as many are kept as groups were under way at once. What is kept holds no values but
/// short ones.
/// </summary>
internal sealed class CommitCommands
{
    private readonly Lock gate = new();
    private readonly Stack<CommitCommand>[] kept = [.. Enumerable.Range(0, CommitSql.FormCount).Select(_ => new Stack<CommitCommand>())];

    public CommitCommand Take(IReadOnlyList<UserCommit> commits)
    {
        var parameters = new CommitParameters(commits);
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
            else if (parameter.NpgsqlDbType.HasFlag(NpgsqlDbType.Array)) parameter.Value = null;
        }

        lock (gate) kept[(int)command.Parts].Push(command);
    }
}

internal sealed record CommitCommand(CommitParts Parts, NpgsqlBatchCommand Statement);
