namespace Mirubato.Cli;

/// <summary>Files that hold what users wrote: only their owner may read them.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="IOException">It is there already.</exception>
    public static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        return new FileStream(path, options);
    }

    /// <summary>A copy keeps the mode of what was copied, which may be anybody's.</summary>
    public static void Restrict(string path)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, OwnerOnly);
    }

    /// <summary>Writes beside the file, which is replaced when all is written. What fails leaves nothing behind.</summary>
    public static async Task Replace(FileInfo file, Func<Stream, Task> write)
    {
        var part = $"{file.FullName}.{Guid.NewGuid():n}.part";
        try
        {
            await using (var to = Create(part)) await write(to);
            File.Move(part, file.FullName, overwrite: true);
        }
        finally
        {
            File.Delete(part);
        }
    }
}
