using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Demo;

/// <summary>
/// Counts the tokens an address was given. A page takes a few a minute. An address that takes many creates users in bulk, each with a quota
/// to fill.
/// </summary>
internal sealed class DemoTokens(int perMinute) : PerAddress(perMinute);
