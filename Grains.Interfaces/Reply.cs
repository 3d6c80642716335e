namespace Mirubato.Grains.Interfaces;

/// <summary>A value, or the failure instead: as an exception it would not arrive as what it is.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.reply`1")]
public sealed record Reply<T>([property: Id(0)] T? Value, [property: Id(1)] Fault? Fault = null)
{
    /// <exception cref="StoreUnavailableException">The store failed.</exception>
    /// <exception cref="InvalidOperationException">The coordinator met a bug, which it has logged.</exception>
    public T ValueOrThrow() => Fault switch
    {
        null => Value!,
        { Reason: Interfaces.Fault.Bug } => throw new InvalidOperationException("The user's coordinator failed; its log says why."),
        _ => throw new StoreUnavailableException(Fault.Reason, Fault.OutcomeUnknown),
    };
}

/// <summary>A failure on its way to another process: the class of a <see cref="StoreUnavailableException"/>, or a bug.</summary>
[GenerateSerializer, Immutable, Alias("mirubato.fault")]
public sealed record Fault([property: Id(0)] string Reason, [property: Id(1)] bool OutcomeUnknown)
{
    public const string Bug = "bug";
}
