using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Mirubato.Gateway.Options;

namespace Mirubato.Tests.Gateway;

public sealed class OptionsTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("mirubato-options-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static GatewayOptions Read(string environment, params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)))
            .Build();
        return OptionsParser.Read(configuration, new NamedEnvironment(environment));
    }

    private static IReadOnlyList<string> Errors(string environment, params (string Name, string Value)[] settings) =>
        Assert.Throws<InvalidOptionsException>(() => Read(environment, settings)).Errors;

    [Fact]
    public void All_wrong_settings_are_reported_at_once_with_name_value_and_remedy()
    {
        var errors = Errors(
            "Production",
            ("Auth:Secret", "shortSecretValue"),
            ("Cors:Origins:0", "https://app.example.com/path"),
            ("Limits:RequestsPerSecond", "many"),
            ("Limits:RequestBrust", "10"),
            ("Storage:Postgres", "hunter2"),
            ("TrustedProxies", "proxy.example.com"));

        Assert.Equal(6, errors.Count);
        Assert.Contains(errors, e => e.StartsWith("Auth:Secret is 16 bytes long: set at least 32", StringComparison.Ordinal));
        Assert.Contains(
            errors,
            e => e.Contains("'https://app.example.com/path'", StringComparison.Ordinal) && e.Contains("no path", StringComparison.Ordinal));
        Assert.Contains(
            errors, e => e.StartsWith("Limits:RequestsPerSecond is 'many': set a whole number from 1", StringComparison.Ordinal));
        Assert.Contains(
            errors,
            e =>
                e.StartsWith("Limits:RequestBrust is not a setting", StringComparison.Ordinal)
                    && e.Contains("Limits:RequestBurst", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("Storage:Postgres", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("TrustedProxies holds 'proxy.example.com'", StringComparison.Ordinal));
        Assert.DoesNotContain(
            errors, e => e.Contains("shortSecretValue", StringComparison.Ordinal) || e.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void Production_needs_a_secret_or_an_authority_and_its_origins()
    {
        var errors = Errors("Production");
        Assert.Equal(2, errors.Count);
        Assert.Contains(errors, e => e.StartsWith("Auth:Secret is not set", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.StartsWith("Cors:Origins is not set", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(31, false)]
    [InlineData(32, true)]
    public void A_secret_has_at_least_32_bytes(int bytes, bool fine)
    {
        var setting = ("Auth:Secret", new string('s', bytes));
        if (fine) Assert.Equal(bytes, Read("Test", setting).Auth.Secret!.Length);
        else Assert.Single(Errors("Test", setting));
    }

    [Fact]
    public void A_development_secret_is_made_once_for_its_owner_alone()
    {
        var path = Path.Combine(directory, "mirubato.db");
        var first = Read("Development", ("Storage:SqlitePath", path)).Auth;
        var second = Read("Development", ("Storage:SqlitePath", path)).Auth;

        Assert.True(first.Generated);
        Assert.Equal(first.Secret, second.Secret);
        var file = Path.Combine(directory, DevelopmentSecret.FileName);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal([file], Directory.GetFiles(directory));
        var made = Path.Combine(directory, "made");
        Read("Development", ("Storage:SqlitePath", Path.Combine(made, "mirubato.db")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(made));
        }
    }

    [Fact]
    public void A_start_that_fails_leaves_no_secret_behind()
    {
        Errors("Development", ("Storage:SqlitePath", Path.Combine(directory, "mirubato.db")), ("Limits:RequestBurst", "0"));
        Assert.Empty(Directory.GetFiles(directory));
    }

    [Fact]
    public void Origins_and_proxies_may_be_one_text_as_an_environment_variable_is()
    {
        var options = Read(
            "Production", ("Auth:Secret", Edge.Secret), ("Cors:Origins", "https://a.example, https://b.example:8443"),
            ("TrustedProxies", "10.0.0.5 fd00::/8"));
        Assert.True(options.Origins.Allows("https://a.example"));
        Assert.True(options.Origins.Allows("https://b.example:8443"));
        Assert.False(options.Origins.Allows("http://localhost:3000"));
        Assert.Equal(2, options.TrustedProxies.Count);
    }

    [Theory]
    [InlineData("24", 24)]
    [InlineData(null, 10)]
    public void The_sockets_of_a_user_are_an_operators_to_bound(string? setting, int max)
    {
        var path = ("Storage:SqlitePath", Path.Combine(directory, "mirubato.db"));
        Assert.Equal(
            max,
            (
                setting is null
                    ? Read("Development", path)
                    : Read("Development", path, ("Limits:ConnectionsPerUser", setting))).Quotas.ConnectionsMax);
        Assert.StartsWith(
            "Limits:ConnectionsPerUser is '0': set a whole number from 1",
            Assert.Single(Errors("Development", ("Limits:ConnectionsPerUser", "0"))), StringComparison.Ordinal);
    }

    [Fact]
    public void The_demo_signs_tokens_itself_and_so_does_not_go_with_an_authority()
    {
        (string, string)[] settings =
        [
            ("Auth:Authority", "https://login.example.com"), ("Auth:Audience", "mirubato"), ("Cors:Origins", "https://a.example"),
        ];
        Assert.StartsWith(
            "Demo:Enabled is 'true' while Auth:Authority is set",
            Assert.Single(Errors("Production", [.. settings, ("Demo:Enabled", "true")])), StringComparison.Ordinal);
        Assert.StartsWith(
            "Demo:Enabled is 'yes': set true or false", Assert.Single(Errors("Production", [.. settings, ("Demo:Enabled", "yes")])),
            StringComparison.Ordinal);
        Assert.False(Read("Development", settings).Demo.Enabled);
    }

    [Theory]
    [InlineData("https://login.example.com", "Production", true)]
    [InlineData("http://login.example.com", "Production", false)]
    [InlineData("http://localhost:8080", "Production", false)]
    [InlineData("http://localhost:8080", "Development", true)]
    [InlineData("login.example.com", "Development", false)]
    public void An_authority_is_spoken_to_over_tls(string authority, string environment, bool fine)
    {
        (string, string)[] settings = [("Auth:Authority", authority), ("Auth:Audience", "mirubato"), ("Cors:Origins", "https://a.example")];
        if (fine) Assert.Equal(authority, Read(environment, settings).Auth.Authority);
        else Assert.Contains("Auth:Authority is '", Assert.Single(Errors(environment, settings)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public void With_an_authority_the_audience_is_required(string environment) => Assert.StartsWith(
        "Auth:Audience is not set while Auth:Authority is 'https://login.example.com': set the audience",
        Assert.Single(
            Errors(
                environment, ("Auth:Authority", "https://login.example.com"),
                ("Cors:Origins", "https://a.example"))), StringComparison.Ordinal);

    [Theory]
    [InlineData(23, false)]
    [InlineData(24, true)]
    public void A_secret_of_operators_has_at_least_24_bytes(int bytes, bool fine)
    {
        var setting = ("Admin:Secret", new string('s', bytes));
        if (fine)
        {
            Assert.Equal(
                bytes, Read("Development", setting, ("Storage:SqlitePath", Path.Combine(directory, "mirubato.db"))).Admin.Secret!.Length);
        }
        else Assert.StartsWith(
            "Admin:Secret is 23 bytes long: set at least 24", Assert.Single(Errors("Development", setting)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", "Admin:Port is '0': set a whole number from 1 to 65535")]
    [InlineData("65536", "Admin:Port is '65536': set a whole number from 1 to 65535")]
    [InlineData("8788", "Admin:Port is '8788' while neither Admin:Secret nor Admin:Role is set")]
    public void A_port_of_operators_is_one_and_has_a_secret(string port, string error) =>
        Assert.StartsWith(error, Assert.Single(Errors("Development", ("Admin:Port", port))), StringComparison.Ordinal);

    private sealed class NamedEnvironment(string name) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = name;
        public string ApplicationName { get; set; } = "";
        public string ContentRootPath { get; set; } = "";
        public Microsoft.Extensions.FileProviders.IFileProvider ContentRootFileProvider { get; set; } = null!;
    }
}
