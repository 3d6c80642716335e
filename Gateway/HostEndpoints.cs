namespace Mirubato.Gateway;

/// <summary>
/// What a process shows of itself over HTTP beyond its health. Without one it is the whole server; another host registers its own,
/// to add pages of its engine or to leave clients to other processes.
/// </summary>
/// <param name="ServesClients">The sync calls, the socket, the web app's calls and the home page are there.</param>
/// <param name="More">Maps what the host adds.</param>
internal sealed record HostEndpoints(bool ServesClients = true, Action<WebApplication>? More = null);
