using System.Collections.Frozen;
using System.Text;

namespace Mirubato.Grains.Domain;

/// <summary>
/// Which members of a document are merged together: two spellings of one thing, and members that make sense only beside each other. Any
/// other member is a unit of its own.
/// </summary>
internal static class MergeUnits
{
    private static readonly string[][] Aliases =
        [["goalIds", "goal_ids"], ["createdAt", "created_at"], ["updatedAt", "updated_at"], ["planId", "plan_id"]];

    private static readonly Dictionary<string, string[]> Common = Index(Aliases);

    private static readonly FrozenDictionary<string, Dictionary<string, string[]>> ByType =
        EntityTypes.Named.ToFrozenDictionary(type => type.Name, type => Index([.. Aliases, .. type.Groups]));

    /// <summary>The units of the members that any of the documents has, each once.</summary>
    public static IEnumerable<string[]> List(EntityType type, params IReadOnlyList<MergeValue> documents)
    {
        var groups = ByType.GetValueOrDefault(type.Name, Common);
        var seen = new HashSet<string>();
        foreach (var name in documents.SelectMany(document => document.Members).Select(member => member.Name))
        {
            if (!seen.Add(name)) continue;
            if (!groups.TryGetValue(name, out var group)) yield return [name];
            else
            {
                seen.UnionWith(group);
                yield return group;
            }
        }
    }

    /// <summary>The units inside an object of a document: each member by itself.</summary>
    public static IEnumerable<string[]> ListInside(params IReadOnlyList<MergeValue> objects) =>
        objects.SelectMany(value => value.Members).Select(member => member.Name).Distinct().Select(name => (string[])[name]);

    public static bool IsBookkeeping(string name) => Members.IsBookkeeping(Members.Find(Encoding.UTF8.GetBytes(name)));

    private static Dictionary<string, string[]> Index(string[][] groups) =>
        groups.SelectMany(group => group.Select(name => KeyValuePair.Create(name, group))).ToDictionary();
}
