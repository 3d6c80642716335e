namespace Mirubato.Gateway.Socket;

internal enum SessionState
{
    /// <summary>Welcomed. Nothing but PONG goes out until the client asks, or a second has passed.</summary>
    Greeted,

    /// <summary>Outside the live set: it reads <c>seq &gt; sent</c> from the store, page by page, as fast as its client takes it.</summary>
    CatchingUp,

    /// <summary>Gets what is announced.</summary>
    Live,

    Closing,
    Closed,
}

/// <summary>What the session must do after an event, besides writing the frames that are queued.</summary>
[Flags]
internal enum StreamEffects
{
    None = 0,

    /// <summary>No sender runs and there are frames to write.</summary>
    StartSender = 1,

    /// <summary>No catch-up reader runs and the socket is behind.</summary>
    StartReader = 2,

    /// <summary>The socket left the live set; this is counted.</summary>
    CountOverflow = 4,

    /// <summary>The socket began to close.</summary>
    Close = 8,
}
