using System.Globalization;

namespace Mirubato.Grains.Storage.Postgres;

/// <summary>
/// A history state as one text, which stands in the column of documents: as columns of their own its ten values would be ten NULLs in
/// every row that is read with it.
/// </summary>
internal static class HistoryStateText
{
    /// <summary>$1 user, $2 device. For a row of sync_metadata.</summary>
    public const string Sql = """
        concat_ws(' ', epoch::text, first_seq::text, last_seq::text, tombstone_horizon::text, encode(digest, 'hex'), last_sync_ms::text,
            not_before_ms::text, created_ms::text, rights::text,
            (EXISTS (SELECT FROM sync_devices d WHERE d.user_id = $1 AND d.device_id = $2 AND d.revoked_ms IS NOT NULL))::int::text)
        """;

    public static HistoryState Parse(string text)
    {
        if (text.Split(' ') is not [var epoch, var first, var last, var horizon, var digest,
            var lastSync, var notBefore, var created, var rights, var isRevoked])
            throw new InvalidOperationException("The history state of a page has ten parts.");
        return new HistoryState(
            new Epoch(Guid.Parse(epoch)), First: new Revision(Number(first)), Last: new Revision(Number(last)),
            Horizon: new Revision(Number(horizon)), UInt128.Parse(digest, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            LastSyncMs: Number(lastSync), NotBeforeMs: Number(notBefore), CreatedMs: Number(created), DeviceRevoked: isRevoked == "1",
            Rights: Number(rights));
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
