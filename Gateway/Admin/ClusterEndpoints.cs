using Mirubato.Gateway.Http;

namespace Mirubato.Gateway.Admin;

internal static class ClusterEndpoints
{
    public static async Task Status(HttpContext http, Cluster cluster)
    {
        var processes = await cluster.Silos(http.RequestAborted);
        await http.Answer(await cluster.Status(processes), AdminJson.Default.ClusterAnswer);
    }

    public static async Task Silos(HttpContext http, Cluster cluster) =>
        await http.Answer(await cluster.Silos(http.RequestAborted), AdminJson.Default.SilosAnswer);

    public static Task Drain(HttpContext http, string name, Cluster cluster) =>
        SetDraining(http, name, cluster, "drain", draining: true);

    public static Task Resume(HttpContext http, string name, Cluster cluster) =>
        SetDraining(http, name, cluster, "resume", draining: false);

    private static Task SetDraining(HttpContext http, string name, Cluster cluster, string action, bool draining) =>
        Audit.Act(http, action, $"silo '{Audit.Spell(name)}'", async () =>
        {
            var silo = await cluster.Drain(name, draining, CancellationToken.None);
            await http.Answer(silo, AdminJson.Default.SiloAnswer, StatusCodes.Status202Accepted);
        });
}
