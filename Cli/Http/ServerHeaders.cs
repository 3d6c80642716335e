namespace Mirubato.Cli.Http;

/// <summary>Headers by which the server is known and asked; docs/protocol.md.</summary>
internal static class ServerHeaders
{
    /// <summary>On every answer of the server's own; one without it was written by something in between.</summary>
    public const string Schema = "X-Sync-Schema";
    public const string Confirm = "Confirm";
}
