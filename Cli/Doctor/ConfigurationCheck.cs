using Microsoft.Extensions.Hosting;
using Mirubato.Gateway.Options;
using Mirubato.Silo;

namespace Mirubato.Cli.Doctor;

/// <summary>The settings, read by the server's own code: what would stop a start is red here, and says what it says there.</summary>
internal static class ConfigurationCheck
{
    private const string Check = "configuration";

    public static (GatewayOptions? Options, IReadOnlyList<Finding> Findings) Run(Installation installation)
    {
        try
        {
            var options = OptionsParser.Parse(
                installation.Configuration, installation.Environment, ClusterOptions.Errors(installation.Configuration));
            return (options, [.. Judge(installation, options)]);
        }
        catch (InvalidOptionsException wrong)
        {
            return (null, [.. wrong.Errors.Select(Split)]);
        }
    }

    private static IEnumerable<Finding> Judge(Installation installation, GatewayOptions options)
    {
        var store = options.Storage.Postgres is null ? "SQLite" : "PostgreSQL";
        yield return Finding.Good(Check, $"The settings allow a start ({installation.Environment.EnvironmentName}, {store}).");
        if (!installation.Environment.IsProduction())
            yield return Finding.Warn(
                Check, $"The environment is {installation.Environment.EnvironmentName}: pages of this machine may call, and tokens of a "
                    + "sample user are printed.",
                "To serve people, set ASPNETCORE_ENVIRONMENT=Production, or leave it out.");
        if (installation.Environment.IsProduction() && options.Demo.Enabled)
            yield return Finding.Warn(
                Check, "Demo:Enabled is true: anybody may store here.", "Leave it out, or give the demo an installation of its own.");
        if (ClusterOptions.Read(installation.Configuration).IsExposed)
            yield return Finding.Warn(
                Check, "Silos speak without TLS on an address that is not loopback: whoever reaches Silo:Port reads everything.",
                "Set Silo:Tls:Certificate and Silo:Tls:CertificateAuthority, or see to it that only silos reach the port.");
    }

    /// <summary>An error is written as what is wrong, a colon, and what to do.</summary>
    private static Finding Split(string error)
    {
        var colon = error.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0
            ? Finding.Bad(Check, error, "Correct the setting; docs/operations.md lists all of them.")
            : Finding.Bad(Check, error[..colon] + ".", char.ToUpperInvariant(error[colon + 2]) + error[(colon + 3)..]);
    }
}
