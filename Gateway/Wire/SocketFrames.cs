
namespace Mirubato.Gateway.Wire;

/// <summary>The frames that do not carry changes.</summary>
internal static class SocketFrames
{
    public const string Applied = "Mutation applied";
    public const string Complete = "Sync complete";
    public const string Nothing = "No new data to sync";
    public const string StartOver = "Sync reset";

    public static ReadOnlyMemory<byte> StartupBanner(string now, string connectionId, long? head) =>
        new FrameWriter("WELCOME", now)
            .Text("message", "Connected to Mirubato sync")
            .Text("connectionId", connectionId)
            .Number("head", head)
            .Number("schemaVersion", ProtocolVersion.Current)
            .End();

    public static ReadOnlyMemory<byte> Pong(string now) => new FrameWriter("PONG", now).End();

    public static ReadOnlyMemory<byte> Authenticated(string now, string expiresAt) =>
        new FrameWriter("AUTHENTICATED", now).Text("expiresAt", expiresAt).End();

    public static ReadOnlyMemory<byte> Synced(string now, string message, long lastSeq, bool reset)
    {
        var frame = new FrameWriter("SYNC_RESPONSE", now).Text("message", message).Number("lastSeq", lastSeq);
        if (reset) frame.True("reset");
        return frame.End();
    }

    /// <param name="lastSeq">As far as the socket has been sent, never further.</param>
    /// <param name="answer">The members of <see cref="SocketAnswers"/>, as the receipt keeps them.</param>
    public static ReadOnlyMemory<byte> Acknowledged(string now, long lastSeq, string? mutationId, ReadOnlySpan<byte> answer) =>
        new FrameWriter("SYNC_RESPONSE", now, answer.Length)
            .Text("message", Applied)
            .Number("lastSeq", lastSeq)
            .Members(answer)
            .Text("mutationId", mutationId)
            .End();

    public static ReadOnlyMemory<byte> Error(string now, SocketError error)
    {
        var frame = new FrameWriter("ERROR", now)
            .Text("error", error.Sentence)
            .Text("code", error.Code.Word())
            .Text("path", error.Path)
            .Text("detail", error.Detail)
            .Text("mutationId", error.MutationId);
        if (error.Code is SocketErrorCode.Unavailable) frame.True("retryable");
        return frame.End();
    }
}
