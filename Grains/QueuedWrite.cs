using System.Diagnostics;
using System.Security.Cryptography;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains;

/// <summary>A write that waits for its turn, parsed and hashed before it queues: only deciding needs the coordinator.</summary>
internal sealed class QueuedWrite(WriteRequest request, List<ParsedItem> items, KeyedBody? keyed, bool onTopOfAnything = false)
{
    // Completed on the coordinator's turns, where its callers wait: they go on at once, not in another turn.
    private readonly TaskCompletionSource<WriteAnswer> answer = new();

    public WriteRequest Request => request;

    public List<ParsedItem> Items => items;

    public KeyedBody? Keyed => keyed;

    /// <summary>Written by someone who has seen the present state, whatever its version.</summary>
    public bool OnTopOfAnything => onTopOfAnything;

    /// <summary>What it weighs while it waits.</summary>
    public long Bytes { get; } = CountBytes(request) + (256L * items.Count);

    /// <summary>The span it was asked for in.</summary>
    public ActivityContext Trace { get; } = Tracing.Current;

    public Caller Caller => request.Caller;

    public Task<WriteAnswer> Answer => answer.Task;

    public static ValueTask<QueuedWrite> From(WriteRequest request) =>
        BodyWork.Run(CountBytes(request), request, static r => new QueuedWrite(r, Parse(r), KeyedBody.From(r)));

    public static int CountBytes(WriteRequest request) => Math.Max(request.Body.Length, request.Documents.Length);

    /// <summary>Brings the heads to where the store stands.</summary>
    public static QueuedWrite OfNothing(Caller caller) =>
        new(new WriteRequest(caller, WriteScope.Push, null, default, []), [], keyed: null);

    /// <summary>What lost, written again now by someone who has seen the present state.</summary>
    public static QueuedWrite Restoring(ConflictReport conflict, Caller caller, long nowMs)
    {
        var change = new Change(conflict.Entity.Type, conflict.Entity.Id, new DocumentRange(0, conflict.Document.Length));
        var item = ItemParser.Read(change, conflict.Document, caller.User) with { ClientMs = nowMs };
        var request = new WriteRequest(caller, WriteScope.Push, null, conflict.Document, [change]) { ItemsWanted = true };
        return new QueuedWrite(request, [item], keyed: null, onTopOfAnything: true);
    }

    public void Complete(WriteAnswer with) =>
        answer.TrySetResult(with.Items is null || request.ItemsWanted ? with : with with { Items = null });

    public void Fail(Exception fault) => answer.TrySetException(fault);

    private static List<ParsedItem> Parse(WriteRequest request)
    {
        var items = new List<ParsedItem>(request.Changes.Count);
        foreach (var change in request.Changes) items.Add(ItemParser.Read(change, request.FindDocument(change), request.Caller.User));
        return items;
    }
}

/// <summary>What an idempotency key is bound to: the bytes of the body, or, when those differ, what they mean.</summary>
internal sealed class KeyedBody(WriteScope scope, string key, ReadOnlyMemory<byte> body)
{
    private readonly Lazy<byte[]> meaning = new(() => RequestHash.Compute(body.Span));

    public WriteScope Scope => scope;

    public string Key => key;

    public byte[] RawHash { get; } = SHA256.HashData(body.Span);

    public byte[] Meaning => meaning.Value;

    public static KeyedBody? From(WriteRequest request) => request.Key is { } key ? new KeyedBody(request.Scope, key, request.Body) : null;

    /// <summary>The first answer again, or the refusal when the key is bound to another body.</summary>
    public static ValueTask<WriteAnswer> Replay(WriteRequest request, Receipt receipt) =>
        BodyWork.Run(QueuedWrite.CountBytes(request), request, r => From(r)!.Replay(receipt));

    public WriteAnswer Replay(Receipt receipt) =>
        receipt.RawHash.Span.SequenceEqual(RawHash) || receipt.RequestHash.Span.SequenceEqual(Meaning)
            ? new WriteAnswer(RequestRefusal.None, receipt.Status, receipt.Response, Replayed: true)
            : WriteAnswer.Refuse(RequestRefusal.KeyReused);

    public Receipt Receipt(int status, ReadOnlyMemory<byte> response, long nowMs) =>
        new(scope, key, RawHash, Meaning, status, response, nowMs + (long)TimeSpan.FromHours(Limits.ReceiptHours).TotalMilliseconds);
}
