namespace Mirubato.Grains.Storage.Sqlite;

/// <summary>
/// Files that only their owner may read: they hold every user's documents. On Windows they inherit what the folder allows.
/// </summary>
internal static class PrivateFile
{
    private const UnixFileMode File = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Folder = File | UnixFileMode.UserExecute;

    /// <summary>A folder that exists keeps its mode: it may be one that others need, like a home or /tmp.</summary>
    public static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, Folder);
    }

    /// <summary>
    /// Opens the file, made if it is missing, and closes it to others. An earlier release may have left it open, or a copy.
    /// </summary>
    public static FileStream Open(string path, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = File;
        var file = new FileStream(path, options);
        Close(path);
        return file;
    }

    /// <summary>
    /// A database, and what SQLite keeps beside it: that is made with the mode of the database, unless it is there already.
    /// </summary>
    public static void MakeDatabase(string path)
    {
        MakeFolder(Path.GetDirectoryName(path)!);
        Open(path, FileShare.ReadWrite).Dispose();
        foreach (var beside in (string[])[path + "-wal", path + "-shm"])
        {
            if (System.IO.File.Exists(beside)) Close(beside);
        }
    }

    private static void Close(string path)
    {
        if (!OperatingSystem.IsWindows()) System.IO.File.SetUnixFileMode(path, File);
    }
}
