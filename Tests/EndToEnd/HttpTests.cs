using Mirubato.Tests.Support;

namespace Mirubato.Tests.EndToEnd;

[Collection(SharesPostgres.Name)]
public sealed class PostgresHttpTests(PostgresServer server) : HttpContract(server), IClassFixture<PostgresServer>;

public sealed class SqliteHttpTests(SqliteServer server) : HttpContract(server), IClassFixture<SqliteServer>;
