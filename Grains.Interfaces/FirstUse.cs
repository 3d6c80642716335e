namespace Mirubato.Grains.Interfaces;

/// <summary>
/// A use of what stands behind the Gateway that a process makes for nobody while it starts, so that its first client does not wait for code
/// to be compiled. It changes nothing that is kept, and a start goes on without it.
/// </summary>
/// <param name="Done">Ends with the use; failed if the use failed.</param>
public sealed record FirstUse(Task Done);
