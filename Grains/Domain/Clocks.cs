namespace Mirubato.Grains.Domain;

/// <summary>What an entity remembers of the clocks it has seen.</summary>
internal static class Clocks
{
    /// <summary>The <c>updatedAt</c> of the next revision. It only grows, whatever the writer's clock says.</summary>
    public static long PublishedTime(long clientMs, EntityHead head) => Math.Max(clientMs, head.PublishedMs + 1);

    /// <summary>
    /// The echoes of a new revision: the old ones, and each of its own clock values that is past its effective time. Not only those in the
    /// future: a raised published time may be past already, and still be later than the effective time it stands for.
    /// </summary>
    public static IReadOnlyList<Echo> Echoes(IReadOnlyList<Echo> before, EntityHead next)
    {
        var echoes = before;
        if (next.ClientMs > next.EffectiveMs) echoes = Remember(echoes, new Echo(next.ClientMs, next.EffectiveMs, next.Device));
        if (next.PublishedMs > next.EffectiveMs && next.PublishedMs != next.ClientMs)
        {
            echoes = Remember(echoes, new Echo(next.PublishedMs, next.EffectiveMs, null));
        }
        return echoes;
    }

    /// <summary>
    /// The echoes of a merged revision: the clocks of both changes that it is made of, each with its effective time, and its own, which no
    /// device wrote.
    /// </summary>
    public static IReadOnlyList<Echo> EchoesOfMerge(EntityHead stored, ChangeTime incoming, EntityHead next)
    {
        var echoes = stored.Echoes;
        if (stored.MergedIn is null) echoes = Remember(echoes, EchoOf(stored.ChangeTime));
        echoes = Remember(echoes, EchoOf(incoming));
        return Echoes(echoes, next with { Device = null });
    }

    /// <summary>Remembers the clock of a change whose content is stored under another one.</summary>
    public static IReadOnlyList<Echo> Remember(IReadOnlyList<Echo> echoes, ChangeTime change) =>
        Remember(echoes, new Echo(change.ClientMs, change.EffectiveMs, change.Device));

    private static Echo EchoOf(ChangeTime change) => new(change.ClientMs, change.EffectiveMs, change.Device, IsMerged: true);

    private static IReadOnlyList<Echo> Remember(IReadOnlyList<Echo> echoes, Echo echo) =>
        echoes.Contains(echo) ? echoes : [.. echoes.Skip(echoes.Count - Limits.EchoesMax + 1), echo];
}
