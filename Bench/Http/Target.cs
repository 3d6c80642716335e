using System.Net;
using System.Net.Sockets;

namespace Mirubato.Bench.Http;

/// <summary>The server to drive. Load is sent only to this machine unless the caller says otherwise.</summary>
internal sealed record Target(Uri Url)
{
    public string PathBase => Url.AbsolutePath.TrimEnd('/');

    public bool IsTls => Url.Scheme == Uri.UriSchemeHttps;

    /// <summary>This machine by the old protocol: it has a network of addresses to itself, and so ports in plenty.</summary>
    public bool IsLoopback4 =>
        IPAddress.TryParse(Url.IdnHost, out var address)
            && address.AddressFamily == AddressFamily.InterNetwork
            && IPAddress.IsLoopback(address);

    /// <summary>Any name under localhost is this machine (RFC 6761), also where the resolver does not know it.</summary>
    public EndPoint EndPoint => IsLocalName(Url.IdnHost)
        ? new DnsEndPoint("localhost", Url.Port)
        : new DnsEndPoint(Url.IdnHost, Url.Port);

    /// <exception cref="BenchFailure">Not an http(s) URL, or another machine without <paramref name="allowRemote"/>.</exception>
    public static Target Parse(string text, bool allowRemote)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new BenchFailure($"--url '{text}' is not an http:// or https:// URL.");
        if (!allowRemote && !IsThisMachine(url))
            throw new BenchFailure($"--url {url} is not this machine. Pass --allow-remote if you may put it under load.");
        return new Target(url);
    }

    private static bool IsThisMachine(Uri url) =>
        IsLocalName(url.IdnHost) || (IPAddress.TryParse(url.IdnHost, out var address) && IPAddress.IsLoopback(address));

    // Whole labels only: localhost.example.org belongs to somebody else.
    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}
