using System.Collections.Frozen;

namespace Mirubato.Grains.Storage;

/// <summary>Which entity types a page is of.</summary>
internal enum TypeFilter
{
    All,
    Only,
    Except,
}

/// <summary>
/// What the text of a page's statement depends on; the values are parameters. A store has the texts of all forms ready, so that a page
/// builds no text.
/// </summary>
internal readonly record struct PageForm(RowKind Kind, TypeFilter Types, bool ByKey)
{
    public static PageForm From(ReadQuery query) => new(
        query.Kind,
        query.Types is null ? TypeFilter.All : query.ExceptTypes ? TypeFilter.Except : TypeFilter.Only,
        query.AfterKey is not null);

    public static FrozenDictionary<PageForm, string> Statements(Func<PageForm, string> write) =>
        (from kind in Enum.GetValues<RowKind>()
         from types in Enum.GetValues<TypeFilter>()
         from byKey in (bool[])[false, true]
         select new PageForm(kind, types, byKey)).ToFrozenDictionary(form => form, write);

    /// <summary>The condition on tombstones, if any.</summary>
    public string KindCondition => Kind switch
    {
        RowKind.Live => " AND deleted_ms IS NULL",
        RowKind.Tombstones => " AND deleted_ms IS NOT NULL",
        _ => "",
    };

    /// <summary>The order. By key also where the page begins: behind the key of <paramref name="parameter"/> and the next.</summary>
    public string Order(int parameter) => ByKey
        ? $" AND (entity_type, entity_id) > (${parameter}, ${parameter + 1}) ORDER BY entity_type, entity_id"
        : " ORDER BY seq";
}
