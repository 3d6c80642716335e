using System.Runtime.CompilerServices;

namespace Mirubato.Grains.Domain;

/// <summary>
/// What must be true whatever clients and the world do. A breach is a bug: the coordinator drops its memory and reloads from the store.
/// </summary>
internal static class Invariant
{
    public static void Holds(bool condition, string what, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        if (!condition) throw new InvariantBrokenException($"{what} ({Path.GetFileName(file)}:{line})");
    }
}

internal sealed class InvariantBrokenException(string what) : Exception($"Broken invariant: {what}.");
