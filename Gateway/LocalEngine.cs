using Mirubato.Gateway.Options;
using Mirubato.Gateway.Rest;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway;

/// <summary>Holds the engine's place until Grains/Local has one: every call is answered 503.</summary>
internal static class LocalEngine
{
    public static IServiceCollection AddLocalEngine(this IServiceCollection services, StorageOptions storage, Quotas quotas)
    {
        _ = (storage, quotas);
        return services.AddSingleton<ISyncCoordinators, NoEngine>().AddSingleton<IReadiness, NoEngine>();
    }

    private sealed class NoEngine : ISyncCoordinators, IReadiness
    {
        public ISyncCoordinator For(UserId user) => throw new StoreUnavailableException("unreachable", outcomeUnknown: false);

        public ValueTask<bool> Ready(CancellationToken cancel) => new(false);
    }
}
