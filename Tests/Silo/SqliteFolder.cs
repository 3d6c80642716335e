using Microsoft.Data.Sqlite;
using Mirubato.Silo;

namespace Mirubato.Tests.Silo;

/// <summary>A folder for a SQLite database and the file of the grains' state beside it.</summary>
internal sealed class SqliteFolder
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mirubato-grains-").FullName;

    public string Database => File("mirubato.db");

    public GrainStateFile GrainState => new(Database);

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Delete()
    {
        using var connection = new SqliteConnection(GrainState.ConnectionString);
        SqliteConnection.ClearPool(connection);
        Directory.Delete(Path, recursive: true);
    }
}
