using System.Buffers;
using System.Text.Json;

namespace Mirubato.Grains.Domain.Json;

/// <summary>
/// Writes a document in its canonical form: names sorted at every depth (<see cref="MemberOrder"/>), numbers and strings as ECMAScript
/// writes them. It goes on when an object names a member twice, so that a request with such an item has a hash as well.
/// </summary>
internal ref struct CanonicalWriter(JsonTree tree, CanonicalForm form)
{
    private readonly JsonTree tree = tree;
    private readonly CanonicalForm form = form;
    private readonly int[] order = ArrayPool<int>.Shared.Rent(tree.Count + 1);
    private int ordered;
    private Utf8Buffer output = new(tree[0].Length + 64);

    private enum Place
    {
        Root,
        Items,
        Item,
        Other,
    }

    public bool HasDuplicates { get; private set; }

    public readonly ReadOnlySpan<byte> Written => output.Written;

    public void Write() => Value(0, form.RootIsItems ? Place.Items : Place.Root);

    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(order);
        output.Dispose();
    }

    private void Value(int at, Place place)
    {
        switch (tree[at].Kind)
        {
            case JsonTokenType.StartObject:
                Object(at, place);
                break;
            case JsonTokenType.StartArray:
                Array(at, place is Place.Items ? Place.Item : Place.Other);
                break;
            case JsonTokenType.PropertyName or JsonTokenType.String:
                Text(at);
                break;
            case JsonTokenType.Number:
                EcmaNumber.Write(tree.Raw(at), ref output);
                break;
            case JsonTree.Copy:
                Value(tree[at].Start, place);
                break;
            default:
                output.Append(tree.Raw(at));
                break;
        }
    }

    private void Text(int at)
    {
        var raw = tree.Raw(at);
        if (!tree[at].Escaped)
        {
            var to = output.Reserve(raw.Length + 2);
            to[0] = to[raw.Length + 1] = (byte)'"';
            raw.CopyTo(to[1..]);
            output.Advance(raw.Length + 2);
            return;
        }

        output.Append((byte)'"');
        JsonText.WriteCanonical(raw, escaped: true, ref output);
        output.Append((byte)'"');
    }

    private void Array(int at, Place place)
    {
        output.Append((byte)'[');
        for (var item = at + 1; item < tree[at].Next; item = tree[item].Next)
        {
            if (item > at + 1) output.Append((byte)',');
            Value(item, place);
        }

        output.Append((byte)']');
    }

    private void Object(int at, Place place)
    {
        var first = ordered;
        for (var name = at + 1; name < tree[at].Next; name = tree[name + 1].Next)
        {
            // What a member holds that is left out is still looked through, to find what it names twice.
            if (!IsOmitted(name) || tree[name + 1].IsContainer) order[ordered++] = name;
        }

        var names = order.AsSpan(first, ordered - first);
        MemberOrder.Sort(tree, names, order.AsSpan(ordered));

        output.Append((byte)'{');
        var open = output.Length;
        for (var i = 0; i < names.Length; i++)
        {
            if (i > 0 && MemberOrder.AreEqual(tree, names[i - 1], names[i])) HasDuplicates = true;
            Member(names[i], place, open);
        }

        output.Append((byte)'}');
        ordered = first;
    }

    private void Member(int name, Place place, int open)
    {
        if (form.OmitNulls && tree[name + 1].Kind is JsonTokenType.Null) return;
        var mark = output.Length;
        if (mark != open) output.Append((byte)',');
        Text(name);
        var text = output.Written[(mark == open ? mark + 1 : mark + 2)..^1];
        var omitted = IsOmitted(name) || (place is Place.Item && text.SequenceEqual("id"u8));
        if (omitted && !tree[name + 1].IsContainer)
        {
            output.Rewind(mark);
            return;
        }

        var inner = place is Place.Root && form.OmitIdsIn is { } items && text.SequenceEqual(items) ? Place.Items : Place.Other;
        output.Append((byte)':');
        Value(name + 1, inner);
        if (omitted) output.Rewind(mark);
    }

    private readonly bool IsOmitted(int name) => form.OmitMarked && tree[name].IsOmitted;
}
