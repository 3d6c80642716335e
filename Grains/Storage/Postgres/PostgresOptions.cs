namespace Mirubato.Grains.Storage.Postgres;

/// <param name="PoolSizeMax">
/// Connections of one process, unless the connection string names another number; null: <see cref="GrainsSetup.PostgresConnectionsMax"/>.
/// </param>
/// <param name="CommandSecondsMax">The server ends a statement after so long; the client gives up two seconds later.</param>
/// <param name="ConnectSecondsMax">For a new connection, and for a free one of the pool.</param>
/// <param name="AlsoApply">SQL of the engine that may run at every start; applied after the migrations, under their lock.</param>
/// <param name="TombstonesMax">See <see cref="Limits.TombstonesMax"/>; fewer in tests.</param>
/// <param name="SweepRowsMax">See <see cref="Retention.SweepRowsMax"/>; fewer in tests.</param>
internal sealed record PostgresOptions(
    int? PoolSizeMax = null,
    int CommandSecondsMax = 10,
    int ConnectSecondsMax = 5,
    int TombstonesMax = Limits.TombstonesMax,
    string? AlsoApply = null,
    int SweepRowsMax = Retention.SweepRowsMax);
