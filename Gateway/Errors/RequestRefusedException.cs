namespace Mirubato.Gateway.Errors;

/// <summary>Ends a request that is not executed. <c>ProblemAnswers</c> turns it into the answer.</summary>
/// <param name="detail">What is wrong in this case; null: the problem's own sentence.</param>
/// <param name="path">Where in the body, as <c>$.changes.entries[3]</c>.</param>
internal sealed class RequestRefusedException(Problem problem, string? detail = null, string? path = null)
    : Exception(detail ?? problem.Form().Remedy)
{
    public Problem Problem { get; } = problem;
    public string? Detail { get; } = detail;
    public string? Path { get; } = path;

    /// <summary>Why exactly, in one word, where the problem has several causes.</summary>
    public string? Reason { get; init; }

    /// <summary>When it may be sent again; null: as the problem says.</summary>
    public int? RetrySeconds { get; init; }

    public static void ThrowIf(RequestRefusal refusal)
    {
        if (refusal is not RequestRefusal.None) throw new RequestRefusedException(Problems.From(refusal));
    }
}
