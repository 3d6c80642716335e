using System.Security.Cryptography;

namespace Mirubato.Gateway.Options;

/// <summary>
/// The secret of a development server, made on the first start and kept beside the data, so that tokens outlive a restart.
/// Only its owner may read the file.
/// </summary>
internal static class DevelopmentSecret
{
    public const string FileName = "dev-secret";

    public static string In(string dataDirectory)
    {
        MakeFolder(dataDirectory);
        var path = Path.Combine(dataDirectory, FileName);
        if (!File.Exists(path)) Make(path);
        var secret = File.ReadAllText(path).Trim();
        return secret.Length >= OptionsParser.SecretBytesMin
            ? secret
            : throw new InvalidOptionsException(
                [$"The development secret in {path} is cut short: delete the file, and the next start makes a new one."]);
    }

    // The database is to come here too.
    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    // Written aside and moved, so that a second server starting at once never reads half of it; the first one to move wins.
    private static void Make(string path)
    {
        var aside = $"{path}.{Environment.ProcessId}";
        var owner = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) owner.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(aside, owner))
            writer.WriteLine(Convert.ToBase64String(RandomNumberGenerator.GetBytes(48)));
        try
        {
            File.Move(aside, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(aside);
        }
    }
}
