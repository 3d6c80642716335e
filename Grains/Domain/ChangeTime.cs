namespace Mirubato.Grains.Domain;

/// <summary>When a change counts as made, and who made it. A contest over one member is decided by it.</summary>
/// <param name="EffectiveMs">min(client time, the server's clock at its arrival), Unix ms; after the effective time of its base.</param>
/// <param name="ClientMs">The clock its writer wrote, Unix ms.</param>
internal sealed record ChangeTime(long EffectiveMs, long ClientMs, DeviceId? Device)
{
    /// <summary>
    /// Whether this change, which arrives now, wins over a stored one that it had not seen. If the server's clock stepped back, a stored
    /// time in the future counts as now, as in rule 5. Of two changes of one device at one time the one that arrives later is the later.
    /// </summary>
    public bool Beats(ChangeTime stored, long nowMs)
    {
        if (stored.EffectiveMs > nowMs) stored = stored with { EffectiveMs = nowMs, ClientMs = Math.Min(stored.ClientMs, nowMs) };
        return EffectiveMs != stored.EffectiveMs ? EffectiveMs > stored.EffectiveMs
            : ClientMs != stored.ClientMs ? ClientMs > stored.ClientMs
            : IsOfSameDevice(stored) || string.CompareOrdinal(Device?.Value, stored.Device?.Value) > 0;
    }

    public bool IsOfSameDevice(ChangeTime other) => Device is not null && Device == other.Device;

    /// <summary>The later of two.</summary>
    public static ChangeTime Max(ChangeTime one, ChangeTime other) =>
        (one.EffectiveMs, one.ClientMs).CompareTo((other.EffectiveMs, other.ClientMs)) >= 0 ? one : other;
}
