using System.Security.Cryptography;
using Mirubato.Grains.Domain;
using Mirubato.Grains.Interfaces;
using Mirubato.Grains.Storage;

namespace Mirubato.Grains;

/// <summary>A write that waits for its turn, read and hashed before it queues: only deciding needs the coordinator.</summary>
internal sealed class Pending
{
    private readonly TaskCompletionSource<WriteAnswer> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Pending(WriteRequest request, IReadOnlyList<Incoming> items, bool onTopOfAnything)
    {
        Request = request;
        Items = items;
        OnTopOfAnything = onTopOfAnything;
        Bytes = Math.Max(request.Body.Length, request.Changes.Sum(change => (long)change.Document.Length)) + (256L * items.Count);
    }

    public WriteRequest Request { get; }

    public IReadOnlyList<Incoming> Items { get; }

    public bool OnTopOfAnything { get; }

    /// <summary>What it weighs while it waits.</summary>
    public long Bytes { get; }

    public Caller Caller => Request.Caller;

    public Task<WriteAnswer> Answer => answer.Task;

    public required KeyedBody? Keyed { get; init; }

    public static Pending Of(WriteRequest request, KeyedBody? keyed) =>
        new(request, [.. request.Changes.Select(c => Intake.Read(c, request.Caller.User))], onTopOfAnything: false) { Keyed = keyed };

    /// <summary>What lost, written again now by someone who has seen what stands.</summary>
    public static Pending Restoring(ConflictReport conflict, Caller caller, long nowMs)
    {
        var change = new Change(conflict.Entity.Type, conflict.Entity.Id, conflict.Document);
        var item = Intake.Read(change, caller.User) with { ClaimMs = nowMs };
        return new Pending(new WriteRequest(caller, WriteScope.Push, null, conflict.Document, [change]), [item], onTopOfAnything: true) { Keyed = null };
    }

    public void Complete(WriteAnswer with) => answer.TrySetResult(with);

    public void Fail(Exception fault) => answer.TrySetException(fault);
}

/// <summary>What an idempotency key is bound to: the bytes of the body, or, when those differ, what they mean.</summary>
internal sealed class KeyedBody(WriteScope scope, string key, ReadOnlyMemory<byte> body)
{
    private readonly Lazy<byte[]> meaning = new(() => RequestHash.Of(body.Span));

    public WriteScope Scope => scope;

    public string Key => key;

    public byte[] RawHash { get; } = SHA256.HashData(body.Span);

    public byte[] Meaning => meaning.Value;

    public static KeyedBody? Of(WriteRequest request) =>
        request.Key is { } key ? new KeyedBody(request.Scope, key, request.Body) : null;

    public bool Fits(Receipt receipt) =>
        receipt.RawHash.Span.SequenceEqual(RawHash) || receipt.RequestHash.Span.SequenceEqual(Meaning);

    /// <summary>The first answer again, or the refusal when the key stands for another body.</summary>
    public WriteAnswer Replay(Receipt receipt) =>
        Fits(receipt)
            ? new WriteAnswer(RequestRefusal.None, receipt.Status, receipt.Response, Replayed: true)
            : WriteAnswer.Refuse(RequestRefusal.KeyReused);

    public Receipt Receipt(int status, ReadOnlyMemory<byte> response, long nowMs) =>
        new(scope, key, RawHash, Meaning, status, response, nowMs + (long)TimeSpan.FromHours(Limits.ReceiptHours).TotalMilliseconds);
}
