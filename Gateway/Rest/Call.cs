using System.Globalization;
using Mirubato.Gateway.Auth;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// What is known of an authenticated call before its body is read: who speaks, and the authority over that user's entities.
/// The framework makes one for each handler that takes it; a call that may not go on ends right here.
/// </summary>
internal sealed record Call(HttpContext Http, Caller Caller, UserCoordinator Coordinator, IUserReader Reader)
{
    public CancellationToken Cancel => Http.RequestAborted;

    public TimeProvider Time => Http.RequestServices.GetRequiredKeyedService<TimeProvider>(ServerClock.Key);

    public ValueTask<T> Decide<T>(Func<ISyncCoordinatorGrain, Task<Reply<T>>> call) => Coordinator.Decide(call, Cancel);

    public ValueTask<T> Ask<T>(Func<IUserStatusGrain, Task<Reply<T>>> call) => Coordinator.Ask(call, Cancel);

    /// <summary>A page for a caller that may still take part; any other is refused.</summary>
    public async ValueTask<ReadPage> Read(ReadQuery query)
    {
        var page = await Reader.Read(Caller, query, Cancel);
        RequestRefusedException.ThrowIf(page.HistoryState.Refusal(Caller));
        return page;
    }

    /// <summary>
    /// Page by page in the order of keys: however many rows there are, one page is held. Other requests get their turn between two pages.
    /// </summary>
    public async IAsyncEnumerable<ReadPage> PagesByKey(ReadQuery query)
    {
        while (true)
        {
            var page = await Read(query);
            yield return page;
            if (!page.More) yield break;
            query = query with { AfterKey = page.Rows[^1].Entity };
            await Task.Yield();
        }
    }

    public static ValueTask<Call?> BindAsync(HttpContext http)
    {
        CheckSchema(http.Request.Headers[CommonHeaders.Schema].ToString());
        var subject = BearerTokens.Subject(http.User) ?? throw new RequestRefusedException(Problem.InvalidToken);
        var device = Id(http, CommonHeaders.Device, Uri.UnescapeDataString) is { } id ? new DeviceId(id) : (DeviceId?)null;
        var caller = new Caller(new UserId(subject), device, BearerTokens.IssuedAtMs(http.User));
        var services = http.RequestServices;
        return new(
            new Call(
                http, caller, services.GetRequiredService<Coordinators>().For(caller.User), services.GetRequiredService<IUserReader>()));
    }

    /// <summary>A header that holds a usable id; null when it is absent.</summary>
    public static string? Id(HttpContext http, string header, Func<string, string>? decode = null)
    {
        var values = http.Request.Headers[header];
        if (values.Count == 0) return null;
        var id = values.Count == 1 && values[0] is { } sent ? decode?.Invoke(sent) ?? sent : null;
        return UsableId.Is(id)
            ? id
            : throw new RequestRefusedException(
                Problem.InvalidHeader, $"{header} must be one text of 1 to {UsableId.UnitsMax} characters without control characters.");
    }

    private static void CheckSchema(string text)
    {
        if (text.Length == 0) return;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            throw new RequestRefusedException(Problem.InvalidHeader, $"{CommonHeaders.Schema} must be a whole number.");
        if (version is > ProtocolVersion.Current or < ProtocolVersion.Oldest)
        {
            throw new RequestRefusedException(Problem.SchemaMismatch, version > ProtocolVersion.Current
                ? $"The client speaks schema {version}, this server {ProtocolVersion.Current}; nothing was applied. Update the server."
                : $"The client speaks schema {version}, this server {ProtocolVersion.Oldest} at least; nothing was applied. "
                    + $"Update the app.");
        }
    }
}
