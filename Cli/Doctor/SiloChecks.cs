using System.Net.Sockets;
using Npgsql;

namespace Mirubato.Cli.Doctor;

/// <summary>The cluster's member list: whether each silo on it is reached from here, and whether it is one cluster.</summary>
internal static class SiloChecks
{
    private const string Check = "silos";
    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(3);

    public static async Task<IReadOnlyList<Finding>> Run(Installation installation, string connectionString)
    {
        List<Member> members;
        try
        {
            await using var connection = await PostgresChecks.Open(connectionString);
            members = await Members(connection);
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException or ArgumentException)
        {
            return [];
        }

        var active = members.Where(member => member.IsActive).ToList();
        var clusters = active.Select(member => member.Cluster).Distinct().ToList();
        if (clusters.Count == 0) return [Finding.Good(Check, "No silo is on the member list: none runs.")];
        var findings = await Task.WhenAll(active.Select(Reach));
        return clusters.Count == 1
            ? findings
            : [Finding.Bad(
                Check, $"{clusters.Count} clusters share the database: {string.Join(", ", clusters.Order())}.",
                "Set the same Silo:ClusterId on all processes; one user's writes must meet in one activation."), .. findings];
    }

    /// <summary>Silos on the list, and whether each is active and wrote within the last two minutes that it lives.</summary>
    public static async Task<List<Member>> Members(NpgsqlConnection connection)
    {
        await using var made = new NpgsqlCommand("SELECT to_regclass('silo_members') IS NOT NULL", connection);
        if (!(bool)(await made.ExecuteScalarAsync())!) return [];
        const string sql = """
            SELECT cluster_id, silo_name, address, port, status = 3 AND alive_at > now() - interval '2 minutes' FROM silo_members
            WHERE status < 6 ORDER BY cluster_id, address, port
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        await using var row = await command.ExecuteReaderAsync();
        var members = new List<Member>();
        while (await row.ReadAsync())
            members.Add(new Member(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetBoolean(4)));
        return members;
    }

    private static async Task<Finding> Reach(Member silo)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(silo.Address, silo.Port).WaitAsync(ConnectMax);
            return Finding.Good(Check, $"{silo.Name} is reached on {silo.Address}:{silo.Port}.");
        }
        catch (Exception away) when (away is SocketException or TimeoutException)
        {
            return Finding.Bad(
                Check, $"{silo.Name} is on the member list and is not reached on {silo.Address}:{silo.Port}: {away.Message}",
                "Open Silo:Port between all machines of the cluster, and set Silo:Address to one that the others reach. If the process is "
                    + "gone, it leaves the list once the others have found it dead.");
        }
    }

    internal sealed record Member(string Cluster, string Name, string Address, int Port, bool IsActive);
}
