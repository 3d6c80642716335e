namespace Mirubato.Grains.Domain;

/// <summary>One state of an entity that a merge looks at.</summary>
/// <param name="Data">The document as stored; empty for a deleted state.</param>
/// <param name="EffectiveMs">The effective time of the state as a whole.</param>
/// <param name="ChangeTime">That of the change which made it: of a merged state, that of the change which arrived.</param>
internal sealed record MergeVersion(long Version, ReadOnlyMemory<byte> Data, long EffectiveMs, ChangeTime ChangeTime)
{
    private MergeValue? value;

    public bool IsDocument => !Data.IsEmpty;

    /// <summary>Parsed by the first merge that asks.</summary>
    public MergeValue Value => value ??= IsDocument ? new MergeValue(Data) : MergeValue.Nothing;
}

/// <summary>The states of one entity that are at hand, oldest first, the present one last, without a gap.</summary>
internal sealed class MergeHistory(IReadOnlyList<MergeVersion> versions)
{
    private readonly List<MergeVersion> versions = [.. versions];

    public MergeVersion Current => versions[^1];

    /// <summary>What the request itself has made of the entity; several of its items share one version.</summary>
    public void Add(MergeVersion made) => versions.Add(made);

    /// <summary>The states from a version on; null when it, or one after it, is not at hand or the first is no document.</summary>
    public IReadOnlyList<MergeVersion>? From(long version)
    {
        var first = versions.FindIndex(v => v.Version == version);
        if (first < 0 || !versions[first].IsDocument || !Current.IsDocument) return null;
        for (var at = first + 1; at < versions.Count; at++)
        {
            if (versions[at].Version - versions[at - 1].Version > 1) return null;
        }

        return versions[first..];
    }
}
