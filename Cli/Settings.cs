using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Mirubato.Gateway.Options;

namespace Mirubato.Cli;

/// <summary>
/// What every command understands. A server's settings are read where the server reads them: <c>appsettings.json</c> in this folder,
/// environment variables, and <c>--set NAME=VALUE</c> in the place of its command line.
/// </summary>
internal static class Settings
{
    public const string ServerVariable = "MIRUBATO_SERVER";
    public const string SecretVariable = "MIRUBATO_ADMIN_SECRET";

    private static readonly Option<string> Server = new("--server")
    {
        Description = $"Where a server's Admin API is ({ServerVariable}; with Admin:Port, that port).",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(ServerVariable) ?? Gateway.GatewayHost.DefaultUrl,
        Recursive = true,
    };

    private static readonly Option<string?> Secret = new("--secret")
    {
        Description = $"The server's Admin:Secret. Better in {SecretVariable} or Admin__Secret, which no list of processes shows.",
        Recursive = true,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Write JSON for machines.", Recursive = true };

    private static readonly Option<bool> Yes = new("--yes", "-y")
    {
        Description = "Do not ask before what cannot be undone.",
        Recursive = true,
    };

    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "A setting of the server, as in --set Storage:SqlitePath=data/mirubato.db; may be repeated.",
        Recursive = true,
        DefaultValueFactory = _ => [],
    };

    public static IEnumerable<Option> Everywhere => [Server, Secret, Json, Yes, Set];

    public static bool WantsJson(this ParseResult parsed) => parsed.GetValue(Json);

    public static bool SaysYes(this ParseResult parsed) => parsed.GetValue(Yes);

    public static Uri ServerUrl(this ParseResult parsed) => ReadUrl(parsed.GetValue(Server)!, "--server");

    /// <exception cref="CommandFailedException">It is no http or https address.</exception>
    public static Uri ReadUrl(string text, string option) =>
        Uri.TryCreate(text.EndsWith('/') ? text : text + "/", UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new CommandFailedException(ExitCode.Usage, $"{option} is '{text}': write an address like https://sync.example.com.");

    public static string AdminSecret(this ParseResult parsed) =>
        parsed.GetValue(Secret) ?? Environment.GetEnvironmentVariable(SecretVariable) ?? parsed.Configuration()["Admin:Secret"]
        ?? throw new CommandFailedException(
            ExitCode.Refused, $"No secret is given: set {SecretVariable} to the server's Admin:Secret, or use --secret.");

    /// <summary>The settings as arguments of the server.</summary>
    public static string[] ServerArguments(this ParseResult parsed) =>
        [.. parsed.GetValue(Set)!.Select(setting => setting.Contains('=', StringComparison.Ordinal)
            ? $"--{setting}"
            : throw new CommandFailedException(ExitCode.Usage, $"--set {setting}: write NAME=VALUE."))];

    public static IConfiguration Configuration(this ParseResult parsed) =>
        new ConfigurationBuilder()
            .SetBasePath(Directory.GetCurrentDirectory())
            .AddJsonFile("appsettings.json", optional: true)
            .AddJsonFile($"appsettings.{EnvironmentName(parsed)}.json", optional: true)
            .AddEnvironmentVariables("ASPNETCORE_").AddEnvironmentVariables("DOTNET_").AddEnvironmentVariables()
            .AddCommandLine(parsed.ServerArguments())
            .Build();

    public static IHostEnvironment ServerEnvironment(this ParseResult parsed) => new NamedEnvironment(EnvironmentName(parsed));

    /// <exception cref="CommandFailedException">They would stop the server's start, too.</exception>
    public static GatewayOptions ServerOptions(this ParseResult parsed)
    {
        try
        {
            return OptionsParser.Parse(parsed.Configuration(), parsed.ServerEnvironment());
        }
        catch (InvalidOptionsException wrong)
        {
            throw new CommandFailedException(ExitCode.Failed, wrong.Message);
        }
    }

    private static string EnvironmentName(ParseResult parsed) =>
        parsed.ServerArguments().LastOrDefault(set => set.StartsWith("--environment=", StringComparison.OrdinalIgnoreCase)) is { } set
            ? set["--environment=".Length..]
            : Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT")
                ?? Environments.Production;

    private sealed class NamedEnvironment(string name) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = name;

        public string ApplicationName { get; set; } = "mirubato";

        public string ContentRootPath { get; set; } = Directory.GetCurrentDirectory();

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
