using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Tests.Domain;

/// <summary>What model devices speak to: the pure core alone, or nodes over a real store.</summary>
internal interface IModelServer
{
    IReadOnlyList<ItemResult> Push(string? device, long nowMs, IReadOnlyList<Item> items, bool merges = false);

    /// <summary>What changed after <paramref name="after"/>, by revision, at most so many.</summary>
    IReadOnlyList<StoredRow> Pull(long after, int rows);

    StoredRow Row(EntityKey entity);

    EntityHead? Head(EntityKey entity);

    IReadOnlyCollection<StoredRow> Everything();

    /// <summary>An edit of a member is gone because its own device wrote over it before it was sent.</summary>
    void ReplacedByOwnDevice(EntityKey entity, string pointer, string value)
    {
    }
}
