namespace Mirubato.Grains.Interfaces;

/// <summary>Whether this server can serve now.</summary>
public interface IReadiness
{
    /// <summary>False, or an exception, when the store does not answer.</summary>
    ValueTask<bool> Ready(CancellationToken cancel);
}
