using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// Changes to the members of a stored object. Members are replaced where they stand; new ones go to the end, in the order and spelling of
/// the object that brings them.
/// </summary>
internal sealed class MergeEdits(MergeValue stored, MergeValue sent)
{
    private readonly Dictionary<string, MergeValue> changed = [];

    /// <summary>An absent value takes the member out.</summary>
    public void Set(string name, MergeValue value)
    {
        if (!ReferenceEquals(value, stored[name])) changed[name] = value;
    }

    /// <summary>The stored value itself where nothing was changed.</summary>
    public MergeValue ToValue()
    {
        if (changed.Count == 0) return stored;
        var output = new Utf8Buffer(stored.Raw.Length + sent.Raw.Length);
        output.Append((byte)'{');
        foreach (var member in stored.Members) Append(ref output, member, changed.GetValueOrDefault(member.Name, member.Value));
        foreach (var member in sent.Members)
        {
            if (stored[member.Name].IsAbsent && changed.TryGetValue(member.Name, out var value)) Append(ref output, member, value);
        }

        output.Append((byte)'}');
        var united = new MergeValue(output.Written.ToArray());
        output.Dispose();
        return united;
    }

    private static void Append(ref Utf8Buffer output, MergeMember member, MergeValue value)
    {
        if (value.IsAbsent) return;
        if (output.Length > 1) output.Append((byte)',');
        output.Append(member.RawName.Span);
        output.Append((byte)':');
        output.Append(value.Raw.Span);
    }
}
