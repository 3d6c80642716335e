using Mirubato.Gateway.Http;
using Mirubato.Gateway.Rest;
using Mirubato.Grains.Interfaces;

namespace Mirubato.Gateway.WebApp;

/// <summary>All of a user's documents of one type, to be put in order; they count toward the same budget as unpacked bodies.</summary>
internal static class HeldRows
{
    public const int BytesMax = Limits.PageBytesMax;

    public static async ValueTask<List<StoredRow>> Of(Call call, EntityType type, BodyBudget budget)
    {
        var lease = budget.Lease(call.Caller.User);
        call.Http.Response.RegisterForDispose(lease);
        var (rows, bytes) = (new List<StoredRow>(), 0L);
        await foreach (var row in Logbook.Rows(call, type))
        {
            rows.Add(row);
            bytes += row.Data.Length;
            if (bytes > BytesMax)
                throw new RequestRefusedException(Problem.TooManyItems, $"This list is longer than {BytesMax} bytes; read it page by page with /api/sync/pull.");
            if (bytes > BodyBudget.FreeBytes) lease.Grow(bytes);
        }

        return rows;
    }
}
