using Microsoft.Extensions.Configuration;
using Mirubato.Gateway.Options;
using Mirubato.Silo;

namespace Mirubato.Tests.Silo;

public sealed class ClusterOptionsTests
{
    [Fact]
    public void All_wrong_cluster_settings_are_reported_at_once_with_their_remedy() => Complains(
        Refused(
            "Host=db", ("Silo:Mode", "2"), ("Silo:Address", "localhost"), ("Silo:Port", "0"), ("Silo:ProbeSeconds", "soon"),
            ("Silo:Adress", "10.0.0.5"), ("Silo:Tls:Certificat", "x")),
        "Silo:Mode is '2': set combined",
        "Silo:Address is 'localhost': set the address",
        "Silo:Port is '0': set a whole number from 1 to 65535",
        "Silo:ProbeSeconds is 'soon'",
        "Silo:Adress is not a setting",
        "Silo:Tls:Certificat is not a setting");

    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost:5433")]
    [InlineData("127.0.0.1")]
    [InlineData("127.9.9.9")]
    [InlineData("::1")]
    [InlineData("[::1]:5433")]
    [InlineData("/var/run/postgresql")]
    [InlineData("127.0.0.1:5433,localhost")]
    public void Where_the_database_is_on_this_machine_the_silo_is_on_loopback(string host) =>
        Assert.Equal(System.Net.IPAddress.Loopback, Read($"Host={host}").Address);

    [Theory]
    [InlineData("db", "db")]
    [InlineData("10.0.0.9", "10.0.0.9")]
    [InlineData("localhost.example.com", "localhost.example.com")]
    [InlineData("127.0.0.1,db:5433", "db:5433")]
    public void Where_it_is_elsewhere_the_address_is_asked_for(string host, string named) =>
        Complains(Refused($"Host={host}"), $"Silo:Address is not set while the database is at '{named}': set the address");

    [Fact]
    public void A_gateway_is_reached_by_no_silo_and_needs_no_address() =>
        Assert.Equal(SiloMode.Gateway, Read("Host=db", ("Silo:Mode", "gateway")).Mode);

    [Fact]
    public void No_silo_gives_out_an_address_that_is_none() =>
        Complains(
            Refused("Host=localhost", ("Silo:Address", "0.0.0.0")),
            "Silo:Address is '0.0.0.0': set the address (not a name, and not 0.0.0.0)");

    [Fact]
    public void An_invalid_connection_string_is_reported_but_not_shown()
    {
        var error = Assert.Single(Refused("Hoost=secret"));
        Assert.StartsWith("Storage:Postgres cannot be read", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_two_ports_differ() =>
        Complains(
            Refused("Host=localhost", ("Silo:Port", "5000"), ("Silo:GatewayPort", "5000")),
            "Silo:GatewayPort is 5000, and so is Silo:Port");

    [Fact]
    public void Over_SQLite_a_silo_is_alone_and_whatever_needs_others_is_refused() => Complains(
        Refused(null, ("Silo:Mode", "silo"), ("Silo:Address", "10.0.0.5"), ("Silo:Port", "5000"), ("Silo:GatewayPort", "5001")),
        "Silo:Mode is 'silo' while Storage:Postgres is not set",
        "Silo:Address is '10.0.0.5' while Storage:Postgres is not set",
        "Silo:Port is '5000' while Storage:Postgres is not set",
        "Silo:GatewayPort is '5001' while Storage:Postgres is not set");

    [Fact]
    public void What_is_left_out_has_its_default()
    {
        var options = Read("Host=db", ("Silo:Address", "10.0.0.5"));

        Assert.Equal(
            (SiloMode.Combined, "mirubato", "mirubato-sync", 11_111, 30_000, 3),
            (options.Mode, options.ClusterId, options.ServiceId, options.Port, options.GatewayPort, options.MissedProbes));
        Assert.Equal((15, 5), (options.IdleFor.TotalMinutes, options.ProbeEvery.TotalSeconds));
        Assert.Null(options.Tls);
        Assert.Equal(SiloMode.Combined, Read(null).Mode);
    }

    [Theory]
    [InlineData("Host=db", "10.0.0.5", true)]
    [InlineData("Host=db", "127.0.0.2", false)]
    [InlineData(null, null, false)]
    public void Silo_ports_that_others_reach_without_TLS_are_exposed(string? postgres, string? address, bool exposed) =>
        Assert.Equal(exposed, Read(postgres, ("Silo:Address", address)).IsExposed);

    private static ClusterOptions Read(string? postgres, params (string Name, string? Value)[] settings) =>
        ClusterOptions.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(
                [.. settings.Select(s => KeyValuePair.Create(s.Name, s.Value)), new("Storage:Postgres", postgres)]).Build());

    private static IReadOnlyList<string> Refused(string? postgres, params (string Name, string? Value)[] settings) =>
        Assert.Throws<InvalidOptionsException>(() => Read(postgres, settings)).Errors;

    private static void Complains(IReadOnlyList<string> errors, params string[] expected)
    {
        foreach (var start in expected) Assert.Contains(errors, error => error.StartsWith(start, StringComparison.Ordinal));
        Assert.Equal(expected.Length, errors.Count);
    }
}
