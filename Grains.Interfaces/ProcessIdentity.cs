using System.Security.Cryptography;

namespace Mirubato.Grains.Interfaces;

/// <summary>This process among those of the cluster.</summary>
/// <param name="Name">Random, so that a restarted process is another.</param>
/// <param name="Silo">The address of its silo; null in a process without one.</param>
public sealed record ProcessIdentity(string Name, string? Silo)
{
    public static ProcessIdentity Fresh(string? silo) => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), silo);
}
