namespace Mirubato.Gateway.Auth;

/// <summary>
/// Whether a token counts cannot be said now: its authority does not answer, or has not been asked about the token's key yet.
/// </summary>
internal sealed class AuthorityUnavailableException() : Exception(
    "The token could not be checked, because its authority does not answer or was asked for its keys a moment ago.");
