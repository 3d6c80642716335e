using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>Why a frame was not acted on. The socket stays open; docs/protocol.md, WebSocket, lists them.</summary>
internal enum SocketErrorCode
{
    InvalidJson,
    InvalidShape,
    UnknownType,
    Forbidden,
    InvalidToken,
    MutationIdReused,
    DeviceQuota,
    Unavailable,
    Internal,
}

/// <param name="Path">Where in the frame.</param>
/// <param name="Detail">What is wrong there.</param>
internal sealed record SocketError(SocketErrorCode Code, string? Path = null, string? Detail = null, string? MutationId = null)
{
    /// <summary>Existing clients know the first two of these sentences.</summary>
    public string Sentence => Code switch
    {
        SocketErrorCode.InvalidJson => "Invalid JSON format",
        SocketErrorCode.InvalidShape or SocketErrorCode.UnknownType => "Invalid sync event format",
        SocketErrorCode.Forbidden => "The event names another user than the token",
        SocketErrorCode.InvalidToken => "Invalid or expired token",
        SocketErrorCode.MutationIdReused => "This mutationId belongs to other content",
        SocketErrorCode.DeviceQuota => "The user has as many devices as allowed",
        SocketErrorCode.Unavailable => "The change could not be stored; send it again shortly",
        _ => "The server failed and wrote down why",
    };
}

internal static class SocketErrorCodes
{
    /// <summary>Its name in UPPER_SNAKE, stable: clients branch on it.</summary>
    public static string Word(this SocketErrorCode code) => JsonNamingPolicy.SnakeCaseUpper.ConvertName(code.ToString());
}

/// <summary>Ends the handling of one frame.</summary>
internal sealed class FrameRefusedException(SocketError error) : Exception(error.Sentence)
{
    public SocketError Error { get; } = error;
}
