using System.Security.Cryptography;

namespace Mirubato.Grains;

/// <summary>What this process is called among those over one store: random, so that a restarted one is another.</summary>
internal sealed record ProcessName(string Value)
{
    public static ProcessName Fresh() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
}
