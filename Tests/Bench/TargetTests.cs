using Mirubato.Bench;
using Mirubato.Bench.Http;

namespace Mirubato.Tests.Bench;

public sealed class TargetTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8787")]
    [InlineData("http://127.9.9.9")]
    [InlineData("http://[::1]:8787")]
    [InlineData("http://localhost:8787/base/")]
    [InlineData("https://sync.LOCALHOST")]
    public void This_machine_may_be_put_under_load(string url) =>
        Assert.Equal(new Uri(url), Target.Parse(url, allowRemote: false).Url);

    [Theory]
    [InlineData("http://example.org")]
    [InlineData("http://localhost.evil.example")]
    [InlineData("http://notlocalhost")]
    [InlineData("http://127.0.0.1@example.org")]
    [InlineData("http://127.0.0.1.example.org")]
    [InlineData("http://192.168.1.10:8787")]
    [InlineData("http://0.0.0.0:8787")]
    public void Another_machine_needs_the_option_the_refusal_names(string url)
    {
        var refusal = Assert.Throws<BenchFailure>(() => Target.Parse(url, allowRemote: false));

        Assert.Contains("--allow-remote", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(new Uri(url), Target.Parse(url, allowRemote: true).Url);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:8787")]
    [InlineData("ftp://127.0.0.1")]
    public void What_is_no_web_address_is_refused_even_with_the_option(string url) =>
        Assert.Throws<BenchFailure>(() => Target.Parse(url, allowRemote: true));
}
