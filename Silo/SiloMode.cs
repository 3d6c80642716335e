namespace Mirubato.Silo;

internal enum SiloMode
{
    /// <summary>Serves clients and holds users' activations.</summary>
    Combined,

    /// <summary>Holds activations only.</summary>
    Silo,

    /// <summary>Serves clients only, as a client of the cluster.</summary>
    Gateway,
}
