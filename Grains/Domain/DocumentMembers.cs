using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>The members of a document that mean something, found in one pass. A null counts as absent.</summary>
internal readonly ref struct DocumentMembers
{
    private readonly JsonTree tree;
    private readonly Span<int> values;

    /// <summary>The document.</summary>
    [UnscopedRef]
    public ref readonly JsonTree Tree => ref tree;

    /// <param name="tree">A tree whose root is an object.</param>
    /// <param name="values">Room for <see cref="Members.Count"/> indices.</param>
    public DocumentMembers(JsonTree tree, Span<int> values)
    {
        this.tree = tree;
        this.values = values;
        values.Clear();
        for (var name = 1; name < tree[0].Next; name = tree[name + 1].Next)
        {
            Total++;
            var member = Members.Find(tree, name);
            if (member is Member.None) continue;
            HasRepeats |= values[(int)member] != 0;
            values[(int)member] = name + 1;
        }
    }

    /// <summary>All members there are.</summary>
    public int Total { get; }

    /// <summary>The document names one of these members twice.</summary>
    public bool HasRepeats { get; }

    /// <summary>The token of the member's value, null or not; 0 when there is none.</summary>
    public int this[Member member] => values[(int)member];

    public bool Has(Member member) => this[member] != 0 && tree[this[member]].Kind is not JsonTokenType.Null;

    public bool IsText(Member member) => this[member] != 0 && tree[this[member]].Kind is JsonTokenType.String;

    public bool IsNumber(Member member) => this[member] != 0 && tree[this[member]].Kind is JsonTokenType.Number;

    public string? Text(Member member) => IsText(member) ? tree.Text(this[member]) : null;

    /// <summary>
    /// When the document says it was deleted: a time after 1970-01-01. Anything else there (an empty text, 0, a flag) deletes nothing.
    /// </summary>
    public long? DeletedMs =>
        Time(Member.DeletedAt) is > 0 and var ms ? ms : Time(Member.DeletedAtSnake) is > 0 and var snake ? snake : null;

    public long? Time(Member member) =>
        IsNumber(member) ? TimeParser.ParseNumber(tree.Raw(this[member]))
        : !IsText(member) ? null
        : TimeParser.ParseText(tree[this[member]].Escaped ? Encoding.UTF8.GetBytes(tree.Text(this[member])) : tree.Raw(this[member]));
}
