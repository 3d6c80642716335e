using System.Diagnostics;
using System.Security.Cryptography;
using Mirubato.Grains.Domain;

namespace Mirubato.Grains;

/// <summary>A write that waits for its turn, parsed and hashed before it queues: only deciding needs the coordinator.</summary>
internal sealed class QueuedWrite(WriteRequest request, List<ParsedItem> items, KeyedBody? keyed, bool onTopOfAnything = false)
{
    /// <summary>Its bases count although it brings no token: the server itself named them.</summary>
    public bool NamesBases { get; init; }

    /// <summary>What it writes is stored as written by no device.</summary>
    public bool CountsAsNoDevice { get; init; }

    /// <summary>An item whose base is not the entity's version by now is left out, and has no result.</summary>
    public bool LeavesOutMoved { get; init; }

    /// <summary>It writes nothing: only the receipt of its key is wanted.</summary>
    public bool WantsReceiptOnly { get; init; }

    // Completed on the coordinator's turns, where its callers wait: they go on at once, not in another turn.
    private readonly TaskCompletionSource<WriteAnswer> answer = new();

    public WriteRequest Request => request;

    public List<ParsedItem> Items => items;

    public KeyedBody? Keyed => keyed;

    /// <summary>The writer has seen the present state, whatever its version.</summary>
    public bool OnTopOfAnything => onTopOfAnything;

    /// <summary>What it weighs while it waits.</summary>
    public long Bytes { get; } = CountBytes(request) + (256L * items.Count);

    /// <summary>The span it was asked for in.</summary>
    public ActivityContext Trace { get; } = Tracing.Current;

    public Caller Caller => request.Caller;

    public Task<WriteAnswer> Answer => answer.Task;

    public static ValueTask<QueuedWrite> From(WriteRequest request) =>
        BodyWork.Run(CountBytes(request), request, static r => new QueuedWrite(r, Parse(r), KeyedBody.From(r)));

    /// <summary>It queues like a write, so that it comes behind one that is under way under its key.</summary>
    public static ValueTask<QueuedWrite> FindingReceipt(WriteRequest request) =>
        BodyWork.Run(
            CountBytes(request), request, static r => new QueuedWrite(r, [], KeyedBody.From(r)) { WantsReceiptOnly = true });

    public static int CountBytes(WriteRequest request) => Math.Max(request.Body.Length, request.Documents.Length);

    /// <summary>Brings the heads up to the store's.</summary>
    public static QueuedWrite Empty(Caller caller) =>
        new(new WriteRequest(caller, WriteScope.Push, null, default, []), [], keyed: null);

    /// <summary>A document that lost or was replaced, written again by a writer that has seen the present state.</summary>
    public static QueuedWrite Restoring(EntityKey entity, ReadOnlyMemory<byte> document, Caller caller, long nowMs)
    {
        var change = new Change(entity.Type, entity.Id, new DocumentRange(0, document.Length));
        var item = ItemParser.Read(change, document, caller.User) with { ClientMs = nowMs };
        var request = new WriteRequest(caller, WriteScope.Push, null, document, [change]) { ItemsWanted = true };
        return new QueuedWrite(request, [item], keyed: null, onTopOfAnything: true);
    }

    /// <summary>
    /// Members that lost, written into the document that is stored now. If that has changed by the time it is decided, the two are merged.
    /// </summary>
    public static QueuedWrite RestoringMembers(ConflictReport conflict, StoredRow stored, Caller caller, long nowMs)
    {
        var document = MemberRestore.Write(stored.Data, conflict.Document, conflict.Members!);
        var change = new Change(stored.Entity.Type, stored.Entity.Id, new DocumentRange(0, document.Length), BaseVersion: stored.Version);
        var item = ItemParser.Read(change, document, caller.User) with { ClientMs = nowMs };
        var request = new WriteRequest(caller, WriteScope.Push, null, document, [change]) { ItemsWanted = true, Merges = true };
        return new QueuedWrite(request, [item], keyed: null) { NamesBases = true };
    }

    /// <summary>Planned states, each on the version that it was planned on.</summary>
    public static QueuedWrite Rewinding(IReadOnlyList<RewindStep> steps, Caller caller, long nowMs)
    {
        var items = steps.Select(step => ItemParser.Read(step.ToChange(), step.Document, caller.User) with { ClientMs = nowMs }).ToList();
        var changes = items.Select(item => item.Change).ToList();
        var request = new WriteRequest(caller, WriteScope.Push, null, default, changes) { ItemsWanted = true };
        return new QueuedWrite(request, items, keyed: null) { NamesBases = true, CountsAsNoDevice = true, LeavesOutMoved = true };
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
