using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mirubato.Tests.Silo;

/// <summary>An authority, and certificates that it signs, as files in a folder of their own.</summary>
internal sealed class TestCertificates : IDisposable
{
    private static readonly OidCollection BothEnds = [new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")];
    private readonly string folder = Directory.CreateTempSubdirectory("mirubato-tls-").FullName;
    private readonly X509Certificate2 authority;

    public TestCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority of a test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
        Authority = Write("authority.pem", authority.ExportCertificatePem());
    }

    /// <summary>The authority's certificate, as PEM.</summary>
    public string Authority { get; }

    /// <summary>A certificate and its key in one PEM file.</summary>
    public string Pem(string name)
    {
        using var made = Make(name);
        return Write($"{name}.pem", $"{made.ExportCertificatePem()}\n{made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}");
    }

    public string WithoutKey(string name)
    {
        using var made = Make(name);
        return Write($"{name}.pem", made.ExportCertificatePem());
    }

    public string Pfx(string name, string password)
    {
        using var made = Make(name);
        var path = Path.Combine(folder, $"{name}.pfx");
        File.WriteAllBytes(path, made.Export(X509ContentType.Pkcs12, password));
        return path;
    }

    public string Expired(string name)
    {
        using var made = Make(name, DateTimeOffset.UtcNow.AddDays(-2));
        return Write($"{name}.pem", $"{made.ExportCertificatePem()}\n{made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}");
    }

    public string ForServersOnly(string name)
    {
        using var made = Make(name, purposes: [new("1.3.6.1.5.5.7.3.1")]);
        return Write($"{name}.pem", $"{made.ExportCertificatePem()}\n{made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}");
    }

    public void Dispose()
    {
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private X509Certificate2 Make(string name, DateTimeOffset? until = null, OidCollection? purposes = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes ?? BothEnds, critical: false));
        using var signed = request.Create(
            authority, DateTimeOffset.UtcNow.AddYears(-1), until ?? DateTimeOffset.UtcNow.AddYears(1), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
