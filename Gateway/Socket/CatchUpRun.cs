namespace Mirubato.Gateway.Socket;

/// <summary>A catch-up that begins elsewhere than where the socket is.</summary>
/// <param name="LastSeq">The revision the client named; null: the client sent no SYNC_REQUEST, and the last minute is replayed.</param>
internal sealed record CatchUpRequest(long? LastSeq);

/// <summary>One catch-up, and what its last answer must say.</summary>
internal sealed class CatchUpRun
{
    /// <summary>Where it begins, as long as that is not known to be a place in this history; null: where the socket is.</summary>
    public long? From { get; set; }

    public bool IsAsked { get; init; }

    public bool IsReset { get; set; }

    public bool HasSent { get; set; }
}
