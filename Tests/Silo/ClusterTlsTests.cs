using Microsoft.Extensions.Configuration;
using Mirubato.Gateway.Options;
using Mirubato.Silo;
using Orleans.Connections.Security;

namespace Mirubato.Tests.Silo;

/// <summary>What is wrong with a certificate is said at start, not by silos that do not find each other.</summary>
public sealed class ClusterTlsTests : IDisposable
{
    private readonly TestCertificates own = new();
    private readonly TestCertificates foreign = new();

    public void Dispose()
    {
        own.Dispose();
        foreign.Dispose();
    }

    [Fact]
    public void A_certificate_in_PEM_or_PFX_of_the_clusters_authority_is_taken()
    {
        Assert.NotNull(Read(("Certificate", own.Pem("a")), ("CertificateAuthority", own.Authority)).Tls);
        Assert.NotNull(Read(("Certificate", own.Pfx("b", "open")), ("Password", "open"), ("CertificateAuthority", own.Authority)).Tls);
        Assert.NotNull(Read(("Certificate", own.Pem("c")), ("Key", own.Pem("c")), ("CertificateAuthority", own.Authority)).Tls);
    }

    [Fact]
    public void A_peer_needs_a_certificate_of_the_same_authority()
    {
        var options = new TlsOptions();
        Read(("Certificate", own.Pem("a")), ("CertificateAuthority", own.Authority)).Tls!.Configure(options);

        Assert.Equal(
            (RemoteCertificateMode.RequireCertificate, RemoteCertificateMode.RequireCertificate),
            (options.RemoteCertificateMode, options.ClientCertificateMode));
        Assert.True(Trusts(options, own.Pem("b")));
        Assert.False(Trusts(options, foreign.Pem("b")));
        Assert.False(Trusts(options, own.Expired("old")));
    }

    [Fact]
    public void A_certificate_that_has_expired_is_refused() =>
        Complains(("Certificate", own.Expired("old")), "counts from", "renew it");

    [Fact]
    public void A_certificate_of_another_authority_is_refused() =>
        Complains(("Certificate", foreign.Pem("a")), "which is not signed by the authority in", "set Silo:Tls:CertificateAuthority");

    [Fact]
    public void A_certificate_without_its_key_is_refused() =>
        Complains(("Certificate", own.WithoutKey("a")), "which holds no private key", "set Silo:Tls:Key");

    [Fact]
    public void A_certificate_for_one_end_of_a_connection_is_refused() =>
        Complains(("Certificate", own.ForServersOnly("a")), "is not made for both ends", "serverAuth and clientAuth");

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Complains(("Certificate", "/nowhere/at-all.pem"), "/nowhere/at-all.pem", "files that this process may read");

    [Fact]
    public void A_wrong_password_is_reported_but_not_shown()
    {
        var error = Assert.Single(
            Refused(("Certificate", own.Pfx("a", "open")), ("Password", "guessed"), ("CertificateAuthority", own.Authority)));
        Assert.Contains("Silo:Tls:Password", error, StringComparison.Ordinal);
        Assert.DoesNotContain("guessed", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_of_the_settings_is_refused()
    {
        Assert.StartsWith(
            "Silo:Tls:CertificateAuthority is not set", Assert.Single(Refused(("Certificate", own.Pem("a")))), StringComparison.Ordinal);
        Assert.StartsWith(
            "Silo:Tls:Certificate is not set", Assert.Single(Refused(("CertificateAuthority", own.Authority))), StringComparison.Ordinal);
    }

    private static bool Trusts(TlsOptions options, string path)
    {
        using var peer = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(path);
        return options.RemoteCertificateValidation!(peer, null, System.Net.Security.SslPolicyErrors.None);
    }

    private void Complains((string Name, string Value) certificate, params string[] parts)
    {
        var error = Assert.Single(Refused(certificate, ("CertificateAuthority", own.Authority)));
        foreach (var part in parts) Assert.Contains(part, error, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Refused(params (string Name, string Value)[] settings) =>
        Assert.Throws<InvalidOptionsException>(() => Read(settings)).Errors;

    private static ClusterOptions Read(params (string Name, string Value)[] settings) =>
        ClusterOptions.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(
                [
                    .. settings.Select(s => KeyValuePair.Create("Silo:Tls:" + s.Name, (string?)s.Value)),
                    new("Storage:Postgres", "Host=localhost"),
                ]).Build());
}
