using System.Buffers;
using Mirubato.Gateway.Http;
using Mirubato.Gateway.Wire;

namespace Mirubato.Gateway.Rest;

/// <summary>
/// A pull too large to hold: section by section, pages by key. By key, because an entity that changes while the answer is under way
/// keeps its place then, and the answer holds it once.
/// </summary>
internal sealed class PullStream(Call call, AnswerSteps to, string[]? types, SyncToken? since, bool reset, DateTimeOffset now)
{
    private static readonly EntityKey FromStart = new("", "");

    private HistoryState? last;

    /// <param name="first">
    /// The history state before anything was sent: as far as the client is afterwards. What came meanwhile it gets again.
    /// </param>
    public async Task Write(HistoryState first)
    {
        last = first;
        to.Write("{"u8);
        foreach (var type in EntityTypes.Named) await Section(type);
        await Others();
        if (since is { } token) await Deleted(token);
        var whole = last.Token == first.Token;
        PullWriter.Tail(to, first.Token, now, whole ? first : null, hasMore: false, reset);
        await to.Flush();
    }

    private async ValueTask Section(EntityType type)
    {
        EntitySections.Open(to, type);
        var first = true;
        if (types is null || types.Contains(type.Name))
        {
            await foreach (var row in Rows(Live() with { Types = [type.Name] }))
            {
                EntitySections.Comma(to, ref first);
                await to.Write(row.Data);
            }
        }

        EntitySections.Close(to, type, empty: first);
    }

    private async ValueTask Others()
    {
        to.Write("\"other\":{"u8);
        var wanted = types?.Where(name => !EntityTypes.IsNamed(name)).ToArray();
        if (wanted is null or { Length: > 0 })
        {
            var query = wanted is null
                ? Live() with { Types = [.. EntityTypes.Named.Select(type => type.Name)], ExceptTypes = true }
                : Live() with { Types = wanted };
            await OthersByType(query);
        }

        to.Write("}"u8);
    }

    private async ValueTask OthersByType(ReadQuery query)
    {
        // Keys are ordered by type first, so the rows of one type come together.
        string? current = null;
        var first = true;
        await foreach (var row in Rows(query))
        {
            if (row.Entity.Type != current)
            {
                if (current is not null) to.Write("],"u8);
                EntitySections.Quoted(to, current = row.Entity.Type);
                to.Write(":["u8);
                first = true;
            }

            EntitySections.Comma(to, ref first);
            await to.Write(row.Data);
        }

        if (current is not null) to.Write("]"u8);
    }

    private async ValueTask Deleted(SyncToken token)
    {
        to.Write(",\"deleted\":["u8);
        var first = true;
        var after = token.Seq;
        while (true)
        {
            var page = await call.Read(new ReadQuery { After = after, Types = types, Kind = RowKind.Tombstones });
            last = page.HistoryState;
            foreach (var row in page.Rows)
            {
                EntitySections.Tombstone(to, row, ref first);
                await to.Write(default);
            }

            if (!page.More) break;
            after = new Revision(page.Rows[^1].Seq);
        }

        to.Write("]"u8);
    }

    private ReadQuery Live() => new() { After = since?.Seq ?? Revision.Origin, Kind = RowKind.Live, AfterKey = FromStart };

    private async IAsyncEnumerable<StoredRow> Rows(ReadQuery query)
    {
        await foreach (var page in call.PagesByKey(query))
        {
            last = page.HistoryState;
            foreach (var row in page.Rows) yield return row;
        }
    }
}
