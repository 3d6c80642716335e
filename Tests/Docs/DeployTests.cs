using System.Net;
using System.Text.RegularExpressions;

namespace Mirubato.Tests.Docs;

/// <summary>What of the files under deploy can be checked without starting them.</summary>
public class DeployTests
{
    [Theory]
    [InlineData(".gitignore", ".env")]
    [InlineData(".dockerignore", "**/.env")]
    public void The_file_of_secrets_is_neither_committed_nor_copied_into_an_image(string file, string pattern) =>
        Assert.Contains(pattern, SourceTree.Read(file).Split('\n'));

    [Theory]
    [InlineData("deploy/compose.yaml", @"TrustedProxies: ([\d./]+)")]
    [InlineData("deploy/kubernetes/mirubato-sync.yaml", @"name: TrustedProxies, value: ""([\d./]+)""")]
    public void Only_the_balancer_is_trusted_with_the_addresses_of_clients(string file, string setting)
    {
        var trusted = Regex.Match(SourceTree.Read(file), setting).Groups[1].Value;
        Assert.True(IPAddress.TryParse(trusted, out _) || IPNetwork.Parse(trusted).PrefixLength == 32, $"{file} trusts all of {trusted}.");
    }

    /// <summary>Otherwise nothing of it is compiled ahead, and a start takes a third longer.</summary>
    [Fact]
    public void Wherever_the_server_is_published_it_is_for_a_platform()
    {
        var commands = SourceTree.Files
            .Where(file => file.StartsWith("deploy/", StringComparison.Ordinal) || file.EndsWith(".md", StringComparison.Ordinal))
            .SelectMany(file => Regex.Matches(SourceTree.Read(file), @"publish \S*Silo .*"))
            .Select(command => command.Value)
            .ToList();

        Assert.True(commands.Count >= 4, "The commands are written in another way; look for that.");
        Assert.All(commands, command => Assert.Matches("--use-current-runtime|-r linux-", command));
    }

    [Fact]
    public void The_collector_uses_what_it_defines_and_listens_on_loopback()
    {
        var text = SourceTree.Read("deploy/opentelemetry/collector.yaml");
        var defined = Regex.Matches(text, @"^(receivers|processors|exporters):\n((?:  .*\n)+)", RegexOptions.Multiline).ToDictionary(
            section => section.Groups[1].Value,
            section => Names(section.Groups[2].Value).Order());
        var used = Regex.Matches(text, @"^      (receivers|processors|exporters): \[(.+)\]", RegexOptions.Multiline).ToLookup(
            list => list.Groups[1].Value, list => list.Groups[2].Value.Split(", "));

        Assert.Equal(3, defined.Count);
        Assert.All(defined, section => Assert.Equal(section.Value, used[section.Key].SelectMany(names => names).Distinct().Order()));
        Assert.Equal(2, Regex.Count(text, @"endpoint: ""127\.0\.0\.1:\d+"""));

        static IEnumerable<string> Names(string section) =>
            Regex.Matches(section, @"^  ([\w/]+):", RegexOptions.Multiline).Select(one => one.Groups[1].Value);
    }

    [Fact]
    public void In_Kubernetes_the_pages_for_operators_have_a_port_that_neither_service_nor_policy_opens()
    {
        var manifest = SourceTree.Read("deploy/kubernetes/mirubato-sync.yaml");
        var port = Regex.Match(manifest, @"name: Admin__Port, value: ""(\d+)""").Groups[1].Value;
        Assert.Matches($@"name: admin, containerPort: {port}\b", manifest);
        foreach (
            var document in manifest.Split("\n---\n").Where(
                text => Regex.IsMatch(text, "^kind: (Service|NetworkPolicy)$", RegexOptions.Multiline)))
            Assert.DoesNotMatch($@"port: (admin|{port})\b|targetPort: (admin|{port})\b", document);
    }
}
