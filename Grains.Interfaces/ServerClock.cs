namespace Mirubato.Grains.Interfaces;

/// <summary>
/// The clock that the product goes by, registered under a key of its own: an unkeyed <see cref="TimeProvider"/> would move Orleans itself.
/// </summary>
public static class ServerClock
{
    public const string Key = "mirubato";
}
