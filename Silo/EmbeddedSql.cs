namespace Mirubato.Silo;

/// <summary>The SQL files of this folder, which the program carries in itself.</summary>
internal static class EmbeddedSql
{
    public static string Read(string name)
    {
        using var reader = new StreamReader(typeof(EmbeddedSql).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
