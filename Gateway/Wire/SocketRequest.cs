using System.Globalization;
using System.Text.Json;

namespace Mirubato.Gateway.Wire;

/// <summary>A client's frame: what it asks for, and what it says beside.</summary>
internal abstract record SocketRequest
{
    internal sealed record Ping : SocketRequest;

    /// <param name="LastSeq">0 when it named none.</param>
    internal sealed record Sync(long LastSeq) : SocketRequest;

    internal sealed record Auth(string Token) : SocketRequest;

    /// <param name="Merges">The client takes over merged documents.</param>
    internal sealed record Mutation(List<Change> Changes, string? MutationId, DeviceId? Device, bool Merges = false) : SocketRequest;

    /// <summary>Reads a frame. Throws <see cref="FrameRefusedException"/> with what is wrong with it.</summary>
    public static SocketRequest Parse(ReadOnlyMemory<byte> frame, UserId user, long nowMs)
    {
        Envelope? envelope = null;
        try
        {
            envelope = new Envelope(frame);
            return envelope.Read(user, nowMs);
        }
        catch (RequestRefusedException wrong)
        {
            var code = wrong.Problem is Problem.InvalidJson ? SocketErrorCode.InvalidJson : SocketErrorCode.InvalidShape;
            throw new FrameRefusedException(new SocketError(code, wrong.Path, wrong.Detail, envelope?.MutationId));
        }
    }

    /// <summary>The members of a frame, sliced out: <c>type</c> may come after what it explains.</summary>
    private sealed class Envelope
    {
        private readonly Dictionary<string, ReadOnlyMemory<byte>> members = [];
        private readonly ReadOnlyMemory<byte> frame;

        public Envelope(ReadOnlyMemory<byte> frame)
        {
            this.frame = frame;
            var reader = new JsonBodyReader(frame);
            var seen = new HashSet<string>();
            reader.Next();
            if (reader.Token != JsonTokenType.StartObject)
            {
                reader.Skip();
                reader.End();
                throw reader.Wrong("must be an object");
            }

            while (reader.Member(seen, "$") is { } name) members[name] = reader.Slice();
            reader.End();
        }

        public string? MutationId { get; private set; }

        public SocketRequest Read(UserId user, long nowMs)
        {
            var type = Text("type") ?? throw Wrong("type", "must name the event");
            MutationId = Id("mutationId");
            if (Text("userId") is { } named && named != user.Value)
                throw new FrameRefusedException(new SocketError(SocketErrorCode.Forbidden, "$.userId", null, MutationId));
            return type switch
            {
                "PING" => new Ping(),
                "SYNC_REQUEST" => new Sync(LastSeq()),
                "AUTH" => new Auth(Text("token") ?? throw Wrong("token", "must be a token")),
                _ => new Mutation(
                    Changes(type, nowMs), MutationId, Id("deviceId") is { } device ? new DeviceId(device) : null, Merges: Is("merge")),
            };
        }

        private List<Change> Changes(string type, long nowMs)
        {
            var changes = new List<Change>();
            if (SocketEvents.FindUpsert(type) is { } upsert) Upsert(upsert, changes, nowMs);
            else if (SocketEvents.FindDelete(type) is { } delete) changes.Add(Deletion(delete.Type.Name, delete.IdMember, nowMs));
            else if (SocketEvents.FindBulk(type) is { } bulk) Items(bulk.Type, bulk.BulkMember!, changes, null);
            else if (type == SocketEvents.EntityUpdated) changes.Add(Document(TypeNamed(), "entity", nowMs, Id("entityId")));
            else if (type == SocketEvents.EntityDeleted) changes.Add(Deletion(TypeNamed().Name, "entityId", nowMs));
            else throw new FrameRefusedException(
                new SocketError(SocketErrorCode.UnknownType, "$.type", $"There is no event '{JsonBodyReader.Cut(type)}'.", MutationId));
            return changes;
        }

        private void Upsert(EventNames names, List<Change> changes, long nowMs)
        {
            changes.Add(Document(names.Type, names.Payload, nowMs, null));
            if (names == SocketEvents.Plan && Has("occurrences")) Items(EntityTypes.PlanOccurrence, "occurrences", changes, EventMs(nowMs));
        }

        private Change Document(EntityType type, string member, long nowMs, string? id)
        {
            if (!Has(member)) throw Wrong(member, "must be a document; it is missing");
            var document = members[member];
            if (document.Span[0] != (byte)'{') throw Wrong(member, "must be an object");
            return OrOversized(
                new Change(type.Name, id, DocumentRange.From(document, frame), BaseVersion: Number("baseVersion"), EventMs: EventMs(nowMs)),
                type);
        }

        private Change Deletion(string type, string member, long nowMs) =>
            new(
                type, Id(member) ?? throw Wrong(member, "must name what is deleted"), default, Delete: true,
                BaseVersion: Number("baseVersion"), EventMs: EventMs(nowMs));

        private void Items(EntityType type, string member, List<Change> changes, long? eventMs)
        {
            if (!Has(member)) throw Wrong(member, "must be an array; it is missing");
            var reader = new JsonBodyReader(members[member]) { Path = $"$.{member}" };
            reader.Next();
            if (reader.Token != JsonTokenType.StartArray) throw reader.Wrong("must be an array");
            while (true)
            {
                reader.Next();
                if (reader.Token == JsonTokenType.EndArray) return;
                changes.Add(OrOversized(new Change(type.Name, null, DocumentRange.From(reader.Slice(), frame), EventMs: eventMs), type));
            }
        }

        private Change OrOversized(Change change, EntityType type) =>
            change.Document.Length <= Limits.StoredBytesMax
                ? change
                : change with
                {
                    Id = OversizedItem.Id(type, frame.Span.Slice(change.Document.Start, change.Document.Length)),
                    Document = default,
                    Refused = ItemRefusal.TooLarge,
                };

        private EntityType TypeNamed() =>
            Text("entityType") is { } name && EntityTypes.Find(name) is { } type
                ? type
                : throw Wrong("entityType", "must be a lower_snake entity type");

        private bool Has(string name) => members.TryGetValue(name, out var slice) && !slice.Span.SequenceEqual("null"u8);

        private bool Is(string name) => members.TryGetValue(name, out var slice) && slice.Span.SequenceEqual("true"u8);

        private string? Text(string name)
        {
            if (!Has(name)) return null;
            var reader = new JsonBodyReader(members[name]) { Path = $"$.{name}" };
            reader.Next();
            return reader.Text();
        }

        private string? Id(string name) =>
            Text(name) is not { } id ? null : UsableId.Is(id) ? id : throw Wrong(
                name, "must be 1 to 256 characters without control characters");

        private long? Number(string name)
        {
            if (!Has(name)) return null;
            var reader = new JsonBodyReader(members[name]);
            reader.Next();
            return reader.Number();
        }

        /// <summary>No number counts as none; one past all that can be is past the head.</summary>
        private long LastSeq()
        {
            if (Number("lastSeq") is { } seq) return Math.Max(seq, 0);
            return Has("lastSeq") && double.TryParse(members["lastSeq"].Span, CultureInfo.InvariantCulture, out var number) && number >= 1
                ? number < long.MaxValue ? (long)number : long.MaxValue
                : 0;
        }

        /// <summary>When the user did it, by the sender's clock; else now.</summary>
        private long EventMs(long nowMs)
        {
            var slice = members.GetValueOrDefault("timestamp");
            if (slice.IsEmpty) return nowMs;
            return (slice.Span[0] == (byte)'"' ? TimeParser.ParseText(Text("timestamp")) : TimeParser.ParseNumber(slice.Span)) ?? nowMs;
        }

        private static RequestRefusedException Wrong(string member, string what) =>
            new(Problem.InvalidShape, $"$.{member} {what}.", $"$.{member}");
    }
}
