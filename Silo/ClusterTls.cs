using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mirubato.Gateway.Options;
using Orleans.Connections.Security;

namespace Mirubato.Silo;

/// <summary>
/// Mutual TLS on the silo ports. A process with a certificate of the cluster's own authority is a member; names in certificates are not
/// compared, because silos find each other by addresses that change. The files are read once, at start.
/// </summary>
internal sealed class ClusterTls
{
    private static readonly Oid[] Purposes = [new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")];

    private readonly X509Certificate2 certificate;
    private readonly X509Certificate2Collection authorities;

    private ClusterTls(X509Certificate2 certificate, X509Certificate2Collection authorities) =>
        (this.certificate, this.authorities) = (certificate, authorities);

    /// <summary>
    /// For a silo that is alone: by a certificate that is made at start and never leaves the process, so that nobody gets in. Orleans opens
    /// the silo port all the same, and without TLS every account of the machine could speak there as a silo.
    /// </summary>
    public static ClusterTls Alone()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var own = new CertificateRequest("CN=a silo that is alone", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UnixEpoch, new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero));
        return new ClusterTls(own, [own]);
    }

    /// <summary>Null when TLS is not configured, or not rightly: then the errors say so.</summary>
    public static ClusterTls? Read(SettingsReader settings)
    {
        var (path, key) = (settings.Text("Silo:Tls:Certificate"), settings.Text("Silo:Tls:Key"));
        var (password, authority) = (settings.Text("Silo:Tls:Password"), settings.Text("Silo:Tls:CertificateAuthority"));
        if (path is null)
        {
            if (key is not null || password is not null || authority is not null)
                settings.Wrong(
                    "Silo:Tls:Certificate is not set while other settings of Silo:Tls are: set the path of this silo's certificate (PEM "
                    + "or PFX), or remove the others.");
            return null;
        }

        if (authority is null)
            settings.Wrong(
                "Silo:Tls:CertificateAuthority is not set while Silo:Tls:Certificate is: set the path of a PEM file with the "
                + "certificate of the authority that signs the silos' certificates.");
        var own = Open(settings, "Silo:Tls:Certificate", path, () => Certificate(path, key, password));
        var signers = authority is null ? null : Open(settings, "Silo:Tls:CertificateAuthority", authority, () => Authorities(authority));
        if (own is null || signers is null) return null;
        var tls = new ClusterTls(own, signers);
        return tls.HasErrors(settings, path, authority!) ? null : tls;
    }

    public void Configure(TlsOptions tls)
    {
        tls.LocalCertificate = certificate;
        tls.RemoteCertificateMode = tls.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        tls.RemoteCertificateValidation = (peer, _, _) => Problems(peer) == X509ChainStatusFlags.NoError;
    }

    private bool HasErrors(SettingsReader settings, string path, string authority)
    {
        var before = settings.Errors.Count;
        var problems = Problems(certificate);
        if (!certificate.HasPrivateKey)
            settings.Wrong(
                $"Silo:Tls:Certificate is '{path}', which holds no private key: set Silo:Tls:Key to the PEM file that does, or use a "
                + $"PFX file with its key.");
        if (problems.HasFlag(X509ChainStatusFlags.NotTimeValid))
            settings.Wrong(
                $"Silo:Tls:Certificate is '{path}', which or whose authority counts from {Day(certificate.NotBefore)} to "
                + $"{Day(certificate.NotAfter)} only: renew it, or set this machine's clock.");
        if (problems.HasFlag(X509ChainStatusFlags.NotValidForUsage))
            settings.Wrong(
                $"Silo:Tls:Certificate is '{path}', which is not made for both ends of a connection: give it the extended key usages "
                + $"serverAuth and clientAuth, or none.");
        const X509ChainStatusFlags said = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotValidForUsage;
        if ((problems & ~said) is not X509ChainStatusFlags.NoError and var others)
            settings.Wrong(
                $"Silo:Tls:Certificate is '{path}', which is not signed by the authority in '{authority}' ({others}): set "
                + $"Silo:Tls:CertificateAuthority to the authority's certificate, with those between in the same file.");
        return settings.Errors.Count > before;
    }

    private X509ChainStatusFlags Problems(X509Certificate2 one)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ExtraStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        foreach (var purpose in Purposes) chain.ChainPolicy.ApplicationPolicy.Add(purpose);
        return chain.Build(one)
            ? X509ChainStatusFlags.NoError
            : chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
    }

    private static X509Certificate2 Certificate(string path, string? key, string? password)
    {
        if (!IsPem(path)) return X509CertificateLoader.LoadPkcs12FromFile(path, password);
        if (!HoldsKey(key ?? path)) return X509CertificateLoader.LoadCertificateFromFile(path);
        return password is null
            ? X509Certificate2.CreateFromPemFile(path, key)
            : X509Certificate2.CreateFromEncryptedPemFile(path, password, key);
    }

    private static X509Certificate2Collection Authorities(string path)
    {
        var found = new X509Certificate2Collection();
        if (IsPem(path)) found.ImportFromPemFile(path);
        else found.Add(X509CertificateLoader.LoadCertificateFromFile(path));
        return found;
    }

    private static bool IsPem(string path) => File.ReadAllText(path).Contains("-----BEGIN ", StringComparison.Ordinal);

    private static bool HoldsKey(string path) => File.ReadAllText(path).Contains("PRIVATE KEY-----", StringComparison.Ordinal);

    private static T? Open<T>(SettingsReader settings, string name, string path, Func<T> open)
        where T : class
    {
        try
        {
            return open();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            settings.Wrong($"{name} is '{path}': {failure.Message} Set paths of files that this process may read.");
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            settings.Wrong(
                $"{name} is '{path}': {failure.Message} Set a PEM or PFX file, Silo:Tls:Key to the key that belongs to it, and "
                + $"Silo:Tls:Password if it has one.");
        }

        return null;
    }

    private static string Day(DateTime time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
