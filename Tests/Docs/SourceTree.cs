namespace Mirubato.Tests.Docs;

/// <summary>
/// The repository as text: what documents promise and what the code says are compared as they are written.
/// <c>MIRUBATO_DOCS_ROOT</c> names another tree to look at.
/// </summary>
internal static class SourceTree
{
    private static readonly HashSet<string> Skipped =
        ["bin", "obj", "node_modules", "TestResults", "artifacts", "data", "dist", ".vs", ".git", ".idea"];

    public static string Root { get; } = Environment.GetEnvironmentVariable("MIRUBATO_DOCS_ROOT") is { Length: > 0 } other ? other : Find();

    /// <summary>Every file that belongs to the project, as paths from the root with <c>/</c>.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. In(Root).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> CSharp(string folder = "") =>
        Files.Where(file => file.StartsWith(folder, StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    /// <summary>All C# files of a folder as one text.</summary>
    public static string ReadAll(string folder) => string.Join('\n', CSharp(folder).Select(Read));

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && folder.GetFiles("*.sln").Length == 0) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("No folder above the tests holds a solution file.");
    }

    private static IEnumerable<string> In(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            // A worktree has a file where a clone has a folder.
            if (!Skipped.Contains(Path.GetFileName(file))) yield return Path.GetRelativePath(Root, file).Replace('\\', '/');
        }

        foreach (var inner in Directory.EnumerateDirectories(folder).Where(inner => !Skipped.Contains(Path.GetFileName(inner))))
        {
            foreach (var file in In(inner)) yield return file;
        }
    }
}
