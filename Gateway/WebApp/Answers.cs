using System.Text.Json;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.WebApp;

// docs/protocol.md, "The web app's calls". Members of documents that the app made itself are of whatever type it gave them.

/// <param name="CreatedAt">The first use of this server; absent while the store does not answer.</param>
internal sealed record MeAnswer(string Id, string? Email, string DisplayName, string AuthProvider, string Role, string? CreatedAt);

internal sealed record MessageAnswer(string Message);

/// <summary>Times are Unix ms.</summary>
/// <param name="TotalPracticeTime">In the unit of the entries' <c>duration</c>; absent where the sum is too large for a number.</param>
internal sealed record RepertoireItem(
    string Id,
    string ScoreId,
    string Status,
    double? DifficultyRating,
    string? PersonalNotes,
    JsonBytes ReferenceLinks,
    int PracticeCount,
    double? TotalPracticeTime,
    long? LastPracticed,
    long CreatedAt,
    long UpdatedAt);

internal sealed record RepertoireAnswer(IReadOnlyList<RepertoireItem> Items);

internal sealed record NewRepertoireItem(
    string ScoreId, string? Status, double? DifficultyRating, string? PersonalNotes, IReadOnlyList<string>? ReferenceLinks);

internal sealed record RepertoireChange(
    string? Status, double? DifficultyRating, string? PersonalNotes, IReadOnlyList<string>? ReferenceLinks);

/// <param name="PreservedLogs">Entries of the piece, all of which stay.</param>
internal sealed record DissociatedAnswer(string Message, int PreservedLogs, string PieceTitle, string? PieceComposer);

internal sealed record RepertoireStatsAnswer(RepertoireItem Repertoire, RepertoireStats Stats);

internal sealed record RepertoireStats(
    int PracticeCount,
    double? TotalPracticeTime,
    double? AvgSessionDuration,
    long? LastPracticed,
    long? FirstPracticed,
    IReadOnlyList<Session> RecentSessions);

internal sealed record Session(long Timestamp, double Duration, string? Notes);

/// <summary>Times are Unix ms.</summary>
/// <param name="RelatedSessions">Entries that name the goal.</param>
/// <param name="TotalPracticeTime">Their duration, summed; only when one goal is asked for.</param>
internal sealed record Goal(
    string Id,
    string? Title,
    string? Description,
    string? Type,
    double? TargetValue,
    double CurrentValue,
    long? TargetDate,
    string Status,
    string? ScoreId,
    JsonBytes? Measures,
    JsonBytes? PracticePlan,
    JsonBytes? Milestones,
    int RelatedSessions,
    long CreatedAt,
    long UpdatedAt,
    double? TotalPracticeTime = null);

internal sealed record GoalsAnswer(IReadOnlyList<Goal> Goals);

/// <summary>Whatever else it holds is stored too.</summary>
internal sealed record NewGoal(
    string? Id,
    string Title,
    string? Description,
    string? Type,
    double? TargetValue,
    double? CurrentValue,
    JsonElement? TargetDate,
    string? Status,
    string? ScoreId,
    JsonElement? Measures,
    JsonElement? PracticePlan,
    JsonElement? Milestones);

internal sealed record GoalProgress(double Value, string? Notes);

internal sealed record ProgressAnswer(string Message, double CurrentValue, double? TargetValue, string Status, bool Completed);

internal sealed record Renaming(PieceName OldPiece, PieceName NewPiece);

internal sealed record PieceName(string Title, string? Composer);

internal sealed record RenamedAnswer(bool Success, int UpdatedCount, string Message);

internal sealed record SuggestionsAnswer(IReadOnlyList<Suggestion> Results, int Total);

/// <param name="Count">Times it occurs in the user's entries and repertoire.</param>
internal sealed record Suggestion(string Value, string Label, int Count, SuggestionMetadata? Metadata);

internal sealed record SuggestionMetadata(string? Composer);

internal sealed record SignedOut(bool Success, string Message);

internal sealed record Adoption(string TemplateId, Customization? Customization);

/// <param name="Schedule">Its members take the place of the template's.</param>
internal sealed record Customization(string? Title, IReadOnlyList<string>? FocusAreas, IReadOnlyList<string>? Tags, JsonElement? Schedule);

/// <summary>The new documents, as they are stored.</summary>
internal sealed record AdoptedAnswer(bool Success, JsonBytes Plan, IReadOnlyList<JsonBytes> Occurrences);
