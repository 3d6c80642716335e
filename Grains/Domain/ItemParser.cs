using System.Security.Cryptography;
using System.Text.Json;
using Mirubato.Grains.Domain.Json;

namespace Mirubato.Grains.Domain;

/// <summary>
/// Where an item comes in: 1. refuse what cannot be taken, 2. name the entity, 3. normalize the document, 4. read its clock and
/// fingerprint. Pure, and fast: every start of every device pushes its whole logbook, and nearly all of it is unchanged.
/// </summary>
internal static class ItemParser
{
    private static readonly byte[] NoMembers = "{}"u8.ToArray();

    public static ParsedItem Read(Change change, ReadOnlyMemory<byte> sent, UserId user)
    {
        var type = EntityTypes.Find(change.Type);
        if (change.Refused is not ItemRefusal.None) return Refuse(change, sent, type, change.Refused);
        if (type is null) return Refuse(change, sent, type, ItemRefusal.UnknownType);
        if (sent.Length > Limits.StoredBytesMax) return Refuse(change, sent, type, ItemRefusal.TooLarge);

        // Only an id was sent: enough to delete by.
        var document = sent.IsEmpty && change.Delete ? NoMembers : sent;
        scoped var tree = JsonTree.Parse(document.Span, Limits.EntityDepthMax);
        try
        {
            return Read(change, type, user, document, ref tree, stackalloc int[Members.Count]);
        }
        finally
        {
            tree.Dispose();
        }
    }

    private static ParsedItem Read(
        Change change, EntityType type, UserId user, ReadOnlyMemory<byte> document, ref JsonTree tree, Span<int> memberValues)
    {
        if (ToRefusal(tree.Problem) is var refusal && refusal is not ItemRefusal.None) return Refuse(change, document, type, refusal);
        if (tree[0].Kind is not JsonTokenType.StartObject) return Refuse(change, document, type, ItemRefusal.Invalid);
        if (!HoldsChecksum(change, tree)) return Refuse(change, document, type, ItemRefusal.ChecksumMismatch);

        var members = new DocumentMembers(tree, memberValues);
        if (members.HasRepeats) return Refuse(change, document, type, ItemRefusal.DuplicateKeys);
        if (document.Length > BytesMax(members)) return Refuse(change, document, type, ItemRefusal.TooLarge);
        if (EntityName.Find(type, change, members, user) is not { } id) return Refuse(change, document, type, ItemRefusal.Invalid);

        var isDelete = change.Delete || members.DeletedMs is not null;
        var clientTime = ClientTime.Parse(members, change, isDelete);
        var edits = Normalization.From(members, type, id, user.Value);
        if (isDelete) SayDeleted(ref edits, members, clientTime);

        var outgoing = new OutgoingDocument(document[..tree[0].OuterEnd][tree[0].OuterStart..], edits.ToSplices(tree[0].OuterStart));
        if (outgoing.LengthMax > Limits.StoredBytesMax) return Refuse(change, document, type, ItemRefusal.TooLarge);
        var baseVersion = change.BaseVersion ?? FindBaseVersion(tree, members);
        edits.ApplyContent(ref tree);
        var problem = ContentForm.Fingerprint(tree, members, type, out var fingerprint);
        if (problem is not JsonProblem.None) return Refuse(change, document, type, ToRefusal(problem));

        return new ParsedItem
        {
            Change = change,
            Type = type,
            Entity = new EntityKey(type.Name, id),
            IsDelete = isDelete,
            ClientMs = clientTime.Ms,
            HasEditClock = clientTime.IsEditClock,
            Fingerprint = isDelete ? Fingerprint.None : fingerprint,
            BaseVersion = baseVersion,
            Document = outgoing,
        };
    }

    /// <summary>What the server once stored it takes back: such a copy names its user and version, which no client has to.</summary>
    private static int BytesMax(in DocumentMembers members) =>
        members.Has(Member.UserId) && members.Has(Member.Version) ? Limits.StoredBytesMax : Limits.EntityBytesMax;

    /// <summary>A delete that is kept in the conflict feed must still be one when it is restored.</summary>
    private static void SayDeleted(ref DocumentEdits edits, in DocumentMembers members, ClientTime clientTime)
    {
        if (members.DeletedMs is null) edits.SetText(Member.DeletedAt, IsoTime.Text(Math.Max(1, clientTime.Ms ?? 0)));
    }

    private static bool HoldsChecksum(Change change, in JsonTree tree)
    {
        if (!ChecksumText.Is(change.Checksum)) return true;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> sent = stackalloc byte[SHA256.HashSizeInBytes];
        CanonicalJson.Hash(tree, CanonicalForm.Whole, hash);
        Convert.FromHexString(change.Checksum, sent, out _, out _);
        return hash.SequenceEqual(sent);
    }

    private static long? FindBaseVersion(in JsonTree tree, in DocumentMembers members)
    {
        if (!members.IsNumber(Member.BaseVersion)) return null;
        var value = EcmaNumber.Parse(tree.Raw(members[Member.BaseVersion]));
        return value == Math.Floor(value) && Math.Abs(value) < 1L << 53 ? (long)value : null;
    }

    private static ItemRefusal ToRefusal(JsonProblem problem) => problem switch
    {
        JsonProblem.None => ItemRefusal.None,
        JsonProblem.TooDeep => ItemRefusal.TooDeep,
        JsonProblem.NumberOutOfRange => ItemRefusal.NumberOutOfRange,
        JsonProblem.DuplicateKeys => ItemRefusal.DuplicateKeys,
        _ => ItemRefusal.Invalid,
    };

    private static ParsedItem Refuse(Change change, ReadOnlyMemory<byte> document, EntityType? type, ItemRefusal refusal) => new()
    {
        Refusal = refusal,
        Change = change,
        Type = type,
        Entity = new EntityKey(change.Type, EntityName.FindRefused(change, document.Span)),
    };
}
