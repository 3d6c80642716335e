using System.CommandLine;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Options;

namespace Mirubato.Cli.Commands;

/// <summary><c>mirubato token</c>: a token of a user, signed with the server's own secret, to try things with.</summary>
internal static class TokenCommand
{
    private const int HoursMax = 24 * 365;

    private static readonly Option<int> Hours = new("--hours") { Description = "How long it counts.", DefaultValueFactory = _ => 1 };

    public static Command Create()
    {
        var command = new Command("token", "Make a token of a user. Whoever has it is that user: do not leave it lying about.")
        {
            UserCommands.User, Hours,
        };
        command.SetAction(Screen.Action(Run));
        return command;
    }

    /// <exception cref="CommandFailedException">Tokens are signed by an authority.</exception>
    public static string Make(ParseResult parsed, string user, int hours)
    {
        var options = parsed.ServerOptions();
        var secret = options.Auth.Secret ?? ReadDevelopmentSecret(options);
        return SampleToken.For(user, options.Auth with { Secret = secret }, TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(hours));
    }

    private static string ReadDevelopmentSecret(GatewayOptions options)
    {
        var path = Path.Combine(options.Storage.DataDirectory, DevelopmentSecret.FileName);
        if (options.Auth.Authority is null && File.Exists(path)) return File.ReadAllText(path).Trim();
        throw new CommandFailedException(
            ExitCode.Failed,
            options.Auth.Authority is { } authority
                ? $"Tokens of this server are signed by {authority}: ask it for one."
                : "Auth:Secret is not set: set it as the server has it (Auth__Secret, or --set Auth:Secret=…).");
    }

    private static Task<ExitCode> Run(ParseResult parsed, Screen screen, CancellationToken cancel)
    {
        var (user, hours) = (parsed.GetRequiredValue(UserCommands.User), parsed.GetValue(Hours));
        if (hours is < 1 or > HoursMax) throw new CommandFailedException(ExitCode.Usage, $"--hours is {hours}: write 1 to {HoursMax}.");
        var token = Make(parsed, user, hours);
        if (screen.IsJson) screen.Json(new { user, token, expiresAt = TimeProvider.System.GetUtcNow().AddHours(hours) });
        else parsed.InvocationConfiguration.Output.WriteLine(token);
        return Task.FromResult(ExitCode.Done);
    }
}
