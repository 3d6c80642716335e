using Mirubato.Gateway.Options;

namespace Mirubato.Cli.Backups;

/// <summary>Backups of one kind of store.</summary>
internal abstract class StoreBackup
{
    public static StoreBackup From(StorageOptions storage) =>
        storage.Postgres is { } postgres ? new PostgresBackup(postgres) : new SqliteBackup(Path.GetFullPath(storage.SqlitePath));

    /// <summary>A consistent copy, while the server runs.</summary>
    public abstract Task Write(FileInfo file, CancellationToken cancel);

    /// <summary>Puts the backup in the place of the store. Answers where the old one is kept; null: nowhere.</summary>
    /// <exception cref="CommandFailedException">A server runs, or the backup is not whole; then the store is as it was.</exception>
    public abstract Task<string?> Restore(FileInfo file, CancellationToken cancel);
}
