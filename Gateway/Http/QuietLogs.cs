using Microsoft.Extensions.Options;

namespace Mirubato.Gateway.Http;

/// <summary>
/// Keeps Kestrel from writing down raw request lines it could not read: they hold whatever was in the URL. A rule for one provider
/// beats a rule for all, so the category is silenced for each provider that has rules of its own too.
/// </summary>
internal sealed class QuietLogs : IPostConfigureOptions<LoggerFilterOptions>
{
    private const string RawRequestLines = "Microsoft.AspNetCore.Server.Kestrel.BadRequests";

    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        var providers = options.Rules.Select(rule => rule.ProviderName).Append(null).Distinct().ToList();
        foreach (var provider in providers)
            options.Rules.Add(new LoggerFilterRule(provider, RawRequestLines, LogLevel.None, filter: null));
    }
}
