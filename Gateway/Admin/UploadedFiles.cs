using Microsoft.AspNetCore.Http.Features;
using Mirubato.Gateway.Options;

namespace Mirubato.Gateway.Admin;

/// <summary>Files that operators send, streamed into the data directory, readable by this account only.</summary>
/// <param name="bytesMax">What a file may hold.</param>
internal sealed class UploadedFiles(string directory, long bytesMax = Limits.ImportFileBytesMax)
{
    private const int BufferBytes = 1024 * 1024;

    /// <summary>One that is still being sent is written all the time.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromHours(1);

    public static UploadedFiles From(GatewayOptions options) => new(options.Storage.DataDirectory);

    /// <summary>The path of the file that the request's body has become. Cut off or too large, it leaves nothing behind.</summary>
    public async Task<string> Keep(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        Directory.CreateDirectory(directory);
        var path = Path.Combine(Path.GetFullPath(directory), $"import-{Guid.NewGuid():n}.db");
        try
        {
            await Copy(http.Request.Body, path, http.RequestAborted);
            return path;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>
    /// Removes what was left behind when a process ended between a file and its import, or an answer was lost. No import may be running.
    /// </summary>
    public void RemoveStale(DateTimeOffset now)
    {
        var left = new DirectoryInfo(directory);
        if (!left.Exists) return;
        foreach (var file in left.EnumerateFiles("import-*.db").Where(file => now - file.LastWriteTimeUtc > StaleAfter))
            file.Delete();
    }

    private async Task Copy(Stream from, string path, CancellationToken cancel)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var file = new FileStream(path, options);
        var buffer = new byte[BufferBytes];
        var bytes = 0L;
        while (await from.ReadAsync(buffer, cancel) is > 0 and var read)
        {
            bytes += read;
            if (bytes > bytesMax)
                throw new RequestRefusedException(
                    Problem.BodyTooLarge, $"The file exceeds {bytesMax} bytes; copy it to the server, and name its path instead.");
            await file.WriteAsync(buffer.AsMemory(0, read), cancel);
        }
    }
}
