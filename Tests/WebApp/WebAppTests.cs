using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Support;

namespace Mirubato.Tests.WebApp;

[Collection(SharesPostgres.Name)]
public sealed class PostgresWebAppTests(PostgresServer server) : WebAppContract(server), IClassFixture<PostgresServer>;

public sealed class SqliteWebAppTests(SqliteServer server) : WebAppContract(server), IClassFixture<SqliteServer>;
