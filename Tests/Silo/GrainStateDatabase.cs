using Mirubato.Grains.Storage.Postgres;
using Mirubato.Tests.Docs;

namespace Mirubato.Tests.Silo;

/// <summary>A PostgreSQL database as a silo finds it after the migrations.</summary>
internal static class GrainStateDatabase
{
    public static async Task Migrate(string database)
    {
        var scripts = SourceTree.Read("Silo/Membership.sql") + SourceTree.Read("Silo/GrainState.Postgres.sql");
        await using var store = PostgresStore.Open(database, new PostgresOptions(AlsoApply: scripts));
        await store.Migrate(CancellationToken.None);
    }
}
