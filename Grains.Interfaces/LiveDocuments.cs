namespace Mirubato.Grains.Interfaces;

/// <summary>Asks for all live documents at once.</summary>
/// <param name="Types">Only these entity types; null: all.</param>
/// <param name="RowsMax">How many documents there may be.</param>
/// <param name="BytesMax">How many bytes of UTF-8 they may have in all.</param>
[GenerateSerializer, Immutable, Alias("mirubato.live-query")]
public sealed record LiveQuery(
    [property: Id(0)] string[]? Types, [property: Id(1)] int RowsMax, [property: Id(2)] long BytesMax);

/// <summary>
/// All live documents of a user in one snapshot, joined by the store. A page of rows costs the server several times as much: an object for
/// each of them, with every column, where an answer needs the document alone.
/// </summary>
/// <param name="Types">By entity type; null when there is more than was asked for, and pages must be read.</param>
[GenerateSerializer, Immutable, Alias("mirubato.live-documents")]
public sealed record LiveDocuments([property: Id(0)] HistoryState HistoryState, [property: Id(1)] List<TypeDocuments>? Types);

/// <param name="Count">How many documents.</param>
/// <param name="Chunks">
/// The documents, UTF-8 JSON, with commas between them. They are cut anywhere, so that no piece is a large object of the collector.
/// </param>
[GenerateSerializer, Immutable, Alias("mirubato.type-documents")]
public sealed record TypeDocuments(
    [property: Id(0)] string Type, [property: Id(1)] int Count, [property: Id(2)] List<ReadOnlyMemory<byte>> Chunks);

[GenerateSerializer, Immutable, Alias("mirubato.documents-request")]
public sealed record DocumentsRequest([property: Id(0)] Caller Caller, [property: Id(1)] LiveQuery Query);
