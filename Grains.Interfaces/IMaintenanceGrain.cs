namespace Mirubato.Grains.Interfaces;

/// <summary>Removes from the store what is past its age. The cluster has one, with key 0.</summary>
[Alias("mirubato.maintenance")]
public interface IMaintenanceGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Starts a sweep when one is due, goes on with one that was interrupted, and otherwise does nothing. Every silo calls it about once a
    /// minute. It returns after about 20 s at the latest; what is left waits for the next tick.
    /// </summary>
    [Alias("Tick"), ResponseTimeout("00:00:30")]
    Task Tick();
}
