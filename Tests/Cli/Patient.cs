using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Mirubato.Cli.Doctor;
using Mirubato.Tests.Gateway;

namespace Mirubato.Tests.Cli;

/// <summary>Examines an installation that a test describes by its settings.</summary>
internal static class Patient
{
    public static readonly string[] Sound = [$"--Auth:Secret={Edge.Secret}", "--Cors:Origins=https://app.example.com"];

    public static Task<List<Finding>> Examine(params string[] settings) => Examine(null, one => one, settings);

    public static async Task<List<Finding>> Examine(Uri? url, Func<Installation, Installation> change, params string[] settings)
    {
        var configuration = new ConfigurationBuilder().AddCommandLine([.. Sound, .. settings]).Build();
        var installation = new Installation(configuration, new HostingEnvironment { EnvironmentName = Environments.Production }, url)
        {
            Disk = _ => (1L << 40, 1L << 41),
            OpenFilesMax = () => 1_000_000,
        };
        var findings = new List<Finding>();
        await foreach (var finding in Examination.Run(change(installation))) findings.Add(finding);
        return findings;
    }

    /// <summary>The one line of this light that says so, with its remedy; null: with none.</summary>
    public static Finding Shows(this List<Finding> findings, Light light, string check, string says, string? remedy)
    {
        var all = string.Join('\n', findings);
        var found = findings.Where(finding => finding.Light == light && finding.Check == check)
            .Where(finding => finding.Says.Contains(says, StringComparison.Ordinal)).ToList();
        Assert.True(found.Count == 1, $"{found.Count} {light} lines of {check} say '{says}':\n{all}");
        if (remedy is null) Assert.Null(found[0].Remedy);
        else Assert.Contains(remedy, found[0].Remedy, StringComparison.Ordinal);
        return found[0];
    }

    public static void AllAreGreen(this List<Finding> findings) =>
        Assert.DoesNotContain(findings, finding => finding.Light is not Light.Green || finding.Remedy is not null);
}
