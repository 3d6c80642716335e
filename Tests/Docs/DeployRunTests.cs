using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>What of the files under deploy the programs that read them can be asked about.</summary>
public sealed class DeployRunTests : IDisposable
{
    /// <summary>Of systemd-analyze security, from 0 (nothing is open) to 10.</summary>
    private const double ExposureMax = 2.5;

    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-deploy-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [NeedsProgramFact("systemd-analyze")]
    public async Task The_units_are_valid()
    {
        var (code, printed) = await Run("systemd-analyze", ["verify", "--man=no", .. Units()]);
        Assert.True(code == 0 && printed.Length == 0, printed);
    }

    [NeedsProgramFact("systemd-analyze")]
    public async Task The_services_may_do_little()
    {
        foreach (var unit in Units().Where(unit => unit.EndsWith(".service", StringComparison.Ordinal)))
        {
            var (_, printed) = await Run("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]);
            var exposure = Regex.Match(printed, @"Overall exposure level for \S+: ([\d.]+)").Groups[1].Value;
            Assert.True(double.Parse(exposure, CultureInfo.InvariantCulture) <= ExposureMax, $"{unit}: {exposure}");
        }
    }

    [NeedsProgramFact("nginx")]
    public async Task The_configuration_of_nginx_is_valid()
    {
        var (certificate, key) = Certificate();
        var text = SourceTree.Read("deploy/nginx.conf")
            .Replace("/etc/ssl/sync.example.com.pem", certificate, StringComparison.Ordinal)
            .Replace("/etc/ssl/sync.example.com.key", key, StringComparison.Ordinal)
            .Replace("/var/log/nginx", folder, StringComparison.Ordinal);
        var path = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(path, $"pid {folder}/pid; error_log stderr; events {{ }} http {{ {text} }}");

        var (code, printed) = await Run("nginx", ["-t", "-p", folder, "-c", path]);

        Assert.True(code == 0, printed);
    }

    /// <summary>With programs that are there: whether the units' own are is for the machine they are copied to.</summary>
    private string[] Units() =>
    [
        .. SourceTree.Files.Where(file => file.StartsWith("deploy/systemd/", StringComparison.Ordinal)).Select(file =>
        {
            var copy = Path.Combine(folder, Path.GetFileName(file));
            var text = SourceTree.Read(file).Replace("/usr/bin/dotnet", "/bin/true", StringComparison.Ordinal);
            File.WriteAllText(copy, text.Replace("EnvironmentFile=", "EnvironmentFile=-", StringComparison.Ordinal));
            return copy;
        }),
    ];

    private (string Certificate, string Key) Certificate()
    {
        using var key = RSA.Create(2048);
        using var made = new CertificateRequest("CN=sync.example.com", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var (certificate, secret) = (Path.Combine(folder, "one.pem"), Path.Combine(folder, "one.key"));
        File.WriteAllText(certificate, made.ExportCertificatePem());
        File.WriteAllText(secret, key.ExportPkcs8PrivateKeyPem());
        return (certificate, secret);
    }

    private static async Task<(int Code, string Printed)> Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(NeedsProgramFactAttribute.Find(program)!, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var printed = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(printed));
    }
}
