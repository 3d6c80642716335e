namespace Mirubato.Gateway.Wire;

/// <summary>The version of docs/protocol.md that this server speaks, and the oldest one that it still understands.</summary>
internal static class ProtocolVersion
{
    public const int Current = 1;
    public const int Oldest = 1;
}
