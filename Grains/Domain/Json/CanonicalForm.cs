namespace Mirubato.Grains.Domain.Json;

/// <summary>Which parts of a document make its identity.</summary>
/// <param name="OmitNulls">Members that are null, at any depth. Null elements of arrays stay.</param>
/// <param name="OmitMarked">Members that are marked in the tree (<see cref="JsonTree.OmitMember"/>).</param>
/// <param name="OmitIdsIn">The array at the root whose objects are taken without their <c>id</c>.</param>
/// <param name="RootIsItems">The root itself is that array.</param>
internal sealed record CanonicalForm(
    bool OmitNulls = false, bool OmitMarked = false, byte[]? OmitIdsIn = null, bool RootIsItems = false)
{
    public static readonly CanonicalForm Whole = new();
}
