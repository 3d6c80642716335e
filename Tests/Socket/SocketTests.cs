using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.Sockets;

[Collection(SharesPostgresWithSilos.Name)]
public sealed class PostgresSocketTests(PostgresServer server) : OneSiloContract(server), IClassFixture<PostgresServer>;

public sealed class SqliteSocketTests(SqliteServer server) : OneSiloContract(server), IClassFixture<SqliteServer>;
