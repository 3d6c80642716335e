namespace Mirubato.Gateway.Options;

/// <summary>The settings do not allow a start. All that is wrong is said at once, so that it is put right in one go.</summary>
internal sealed class InvalidOptionsException(IReadOnlyList<string> errors)
    : Exception($"The server does not start: {errors.Count} setting(s) must be put right.\n  - {string.Join("\n  - ", errors)}")
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
