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
