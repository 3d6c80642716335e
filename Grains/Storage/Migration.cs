using System.Globalization;

namespace Mirubato.Grains.Storage;

/// <summary>One numbered step of a schema, embedded as <c>Storage/Migrations/&lt;engine&gt;/NNN_name.sql</c>.</summary>
internal sealed record Migration(int Version, string Name, string Sql)
{
    public static IReadOnlyList<Migration> List(string engine)
    {
        var assembly = typeof(Migration).Assembly;
        var folder = $"{assembly.GetName().Name}.Storage.Migrations.{engine}.";
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(folder, StringComparison.Ordinal))
            .Select(name => Embedded(name, name[folder.Length..^".sql".Length]))
            .OrderBy(step => step.Version)];
    }

    /// <exception cref="InvalidOperationException">The database is of a newer release than this build.</exception>
    public static IEnumerable<Migration> Missing(IReadOnlyList<Migration> known, int version)
    {
        var newest = known[^1].Version;
        return version <= newest
            ? known.Where(step => step.Version > version)
            : throw new InvalidOperationException(
                $"The database has schema version {version}; this build knows versions up to {newest}. "
                + "Start the release that made it (or a later one), or restore a backup taken before the upgrade.");
    }

    private static Migration Embedded(string resource, string name)
    {
        using var reader = new StreamReader(typeof(Migration).Assembly.GetManifestResourceStream(resource)!);
        return new Migration(int.Parse(name.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture), name, reader.ReadToEnd());
    }
}
