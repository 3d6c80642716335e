namespace Mirubato.Silo;

/// <summary>What the shell around the engine logs. None names a user.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "A room was not told; it is forgotten until it renews itself.")]
    public static partial void RoomNotTold(this ILogger log, Exception failure);

    [LoggerMessage(2, LogLevel.Debug, "A room could not reach its user's activation.")]
    public static partial void RoomOutOfReach(this ILogger log, Exception failure);

    [LoggerMessage(3, LogLevel.Warning, "{Rooms} rooms could not tell the cluster that they listen; they try again, and compare their heads with the store meanwhile.")]
    public static partial void RoomsNotRenewed(this ILogger log, int rooms);

    [LoggerMessage(4, LogLevel.Warning, "Silo ports are open on {Address} without TLS: whoever reaches them can read and erase every user's data. Set Silo:Tls:Certificate and Silo:Tls:CertificateAuthority, or let only the cluster's own machines reach them")]
    public static partial void SiloPortsExposed(this ILogger log, System.Net.IPAddress address);
}
