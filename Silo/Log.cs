namespace Mirubato.Silo;

/// <summary>What the silo around the grains logs. None names a user.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "Silo ports are open on {Address} without TLS: whoever reaches them can read and erase every "
        + "user's data. Set Silo:Tls:Certificate and Silo:Tls:CertificateAuthority, or let only the cluster's own machines reach them")]
    public static partial void SiloPortsExposed(this ILogger log, System.Net.IPAddress address);
}
