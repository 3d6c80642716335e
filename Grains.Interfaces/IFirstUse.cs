namespace Mirubato.Grains.Interfaces;

/// <summary>What a process does once for nobody while it starts, so that its first client does not wait for code to be compiled.</summary>
public interface IFirstUse
{
    /// <summary>Changes nothing that is kept. Throws when it could not do all of it, which does not stop the start.</summary>
    Task Run();
}
