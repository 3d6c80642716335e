namespace Mirubato.Gateway.Socket;

/// <summary>Why a socket is closed. Never 1000: existing clients do not come back from it.</summary>
internal enum CloseCode
{
    Idle = 1001,
    Abuse = 1008,
    TooLarge = 1009,
    Restarting = 1012,
    TooSlow = 1013,
    TokenExpired = 4401,
    SignedOut = 4403,
    Evicted = 4429,
}

internal static class CloseReasons
{
    /// <summary>What a developer reads in the browser's console.</summary>
    public static string Sentence(this CloseCode code) => code switch
    {
        CloseCode.Idle => "Nothing was sent for 5 minutes; send PING every 30 s",
        CloseCode.Abuse => "Too many frames",
        CloseCode.TooLarge => "A frame exceeds 1 MiB",
        CloseCode.Restarting => "The server restarts; connect again",
        CloseCode.TooSlow => "Nothing was read for 60 s; connect again",
        CloseCode.TokenExpired => "The token has expired; connect with a fresh one",
        CloseCode.SignedOut => "Signed out, or the device was turned away",
        _ => "Another connection of the user took this one's place",
    };
}
