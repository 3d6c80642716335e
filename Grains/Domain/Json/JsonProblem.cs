namespace Mirubato.Grains.Domain.Json;

/// <summary>Why a document is not taken, in the order in which it is found out.</summary>
internal enum JsonProblem
{
    None,
    Malformed,
    TooDeep,
    NumberOutOfRange,
    DuplicateKeys,
}
