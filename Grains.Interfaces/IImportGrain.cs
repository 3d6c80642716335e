namespace Mirubato.Grains.Interfaces;

/// <summary>
/// Imports databases of the backend that this server replaces, one at a time. The cluster has one, with key 0. Its progress is stored, so
/// that it goes on in another silo when its own is lost.
/// </summary>
[Alias("mirubato.import")]
public interface IImportGrain : IGrainWithIntegerKey
{
    /// <summary>Looks at the file and begins. The answer says what is wrong with the file, or that another import runs.</summary>
    [Alias("start"), ResponseTimeout("00:01:00")]
    Task<ImportStart> Start(ImportOrder order);

    /// <summary>The imports that are remembered, the newest first, at most <see cref="Limits.ImportsRemembered"/>.</summary>
    [Alias("list")]
    Task<ImportReport[]> List();

    /// <summary>Ends a running import after the batch under way. False: no import of that id runs.</summary>
    [Alias("cancel")]
    Task<bool> Cancel(string id);

    /// <summary>
    /// Goes on with the running import for some seconds. Every silo calls it every few seconds. False: nothing is left to do, or another
    /// tick does it.
    /// </summary>
    [Alias("tick"), ResponseTimeout("00:01:00")]
    Task<bool> Tick();
}

/// <summary>One page of the rows that an import did not store. Key: the import's id, a colon, and the page's number from 1.</summary>
[Alias("mirubato.import-page")]
public interface IImportPageGrain : IGrainWithStringKey
{
    /// <summary>Replaces the page: a batch that is done again has the same page.</summary>
    [Alias("write")]
    Task Write(ImportRefusal[] rows);

    [Alias("read")]
    Task<ImportRefusal[]> Read();

    [Alias("clear")]
    Task Clear();
}
