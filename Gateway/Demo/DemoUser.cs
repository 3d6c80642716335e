using System.Text.RegularExpressions;

namespace Mirubato.Gateway.Demo;

/// <summary>
/// Who may have a token without signing in. The prefix keeps such users apart from everybody else's: no token of the demo speaks for a user of the installation.
/// Whoever knows such an id has its journal, as a shared link is meant to; it is long, so that nobody guesses another's.
/// </summary>
internal static partial class DemoUser
{
    public static bool Is(string? user) => user is not null && Form().IsMatch(user);

    [GeneratedRegex("^demo-[a-z0-9]{16,40}\\z")]
    private static partial Regex Form();
}
