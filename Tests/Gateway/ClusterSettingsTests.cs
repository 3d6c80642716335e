using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Mirubato.Gateway.Options;

namespace Mirubato.Tests.Gateway;

public sealed class ClusterSettingsTests
{
    [Fact]
    public void Everything_wrong_with_a_cluster_is_said_at_once_with_its_remedy()
    {
        var errors = Assert.Throws<InvalidOptionsException>(() => Read(
            "Production", postgres: null, ("Silo:Mode", "2"), ("Silo:Address", "localhost"), ("Silo:Port", "0"), ("Silo:ResponseSeconds", "soon"), ("Silo:Adress", "10.0.0.5"))).Errors;

        Assert.Equal(6, errors.Count);
        Assert.Contains(errors, e => e.StartsWith("Storage:Postgres is not set", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("Silo:Mode is '2': set combined", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("Silo:Address is 'localhost': set the address", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("Silo:Port is '0': set a whole number from 1 to 65535", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("Silo:ResponseSeconds is 'soon'", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("Silo:Adress is not a setting", StringComparison.Ordinal));
    }

    [Fact]
    public void In_Production_the_address_is_asked_for_and_elsewhere_it_is_this_machine()
    {
        Assert.Contains(Assert.Throws<InvalidOptionsException>(() => Read("Production", "Host=db")).Errors, e => e.StartsWith("Silo:Address is not set", StringComparison.Ordinal));
        Assert.Equal(System.Net.IPAddress.Loopback, Read("Development", "Host=db").Address);
        Assert.Throws<InvalidOptionsException>(() => Read("Development", "Host=db", ("Silo:Address", "0.0.0.0")));
    }

    [Fact]
    public void The_two_ports_differ() =>
        Assert.StartsWith("Silo:GatewayPort is 5000, and so is Silo:Port", Assert.Single(Assert.Throws<InvalidOptionsException>(() =>
            Read("Development", "Host=db", ("Silo:Port", "5000"), ("Silo:GatewayPort", "5000"))).Errors), StringComparison.Ordinal);

    [Fact]
    public void What_is_left_out_has_its_default()
    {
        var settings = Read("Production", "Host=db", ("Silo:Address", "10.0.0.5"), ("Silo:Mode", "gateway"));

        Assert.Equal((SiloMode.Gateway, "mirubato", "mirubato-sync", 11_111, 30_000, 3), (settings.Mode, settings.ClusterId, settings.ServiceId, settings.Port, settings.GatewayPort, settings.MissedProbes));
        Assert.Equal((5, 15, 5), (settings.ResponseWithin.TotalSeconds, settings.IdleFor.TotalMinutes, settings.ProbeEvery.TotalSeconds));
        Assert.Equal(SiloMode.Combined, Read("Development", "Host=db").Mode);
    }

    private static ClusterSettings Read(string environment, string? postgres, params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value))).Build();
        var options = new GatewayOptions(
            new AuthOptions(null, null, null, null, false), new StorageOptions(postgres, "x.db"), new AllowedOrigins([], true), new LimitOptions(), new Mirubato.Grains.Interfaces.Quotas(), [], new DemoOptions(false, 120, 120));
        return ClusterSettings.Read(configuration, new Named(environment), options);
    }

    private sealed class Named(string name) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = name;

        public string ApplicationName { get; set; } = "";

        public string ContentRootPath { get; set; } = "";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
