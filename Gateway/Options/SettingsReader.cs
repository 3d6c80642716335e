using System.Globalization;

namespace Mirubato.Gateway.Options;

/// <summary>
/// Reads settings and gathers what is wrong with them. The configuration binder was not used because it stops at the first value it
/// cannot convert, and passes a misspelt name over in silence.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly HashSet<string> known = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> errors = [];

    public IReadOnlyList<string> Errors => errors;

    public void Wrong(string error) => errors.Add(error);

    public string? Text(string name)
    {
        known.Add(name);
        var value = configuration[name];
        return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }

    public long Number(string name, long fallback, long min, long max)
    {
        if (Text(name) is not { } text) return fallback;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
        {
            return value;
        }
        Wrong($"{name} is '{text}': set a whole number from {min} to {max}, or leave it out for {fallback}.");
        return fallback;
    }

    public int Int(string name, int fallback, int min, int max) => (int)Number(name, fallback, min, max);

    public bool Flag(string name, bool fallback)
    {
        if (Text(name) is not { } text) return fallback;
        if (bool.TryParse(text, out var value)) return value;
        Wrong($"{name} is '{text}': set true or false, or leave it out for {(fallback ? "true" : "false")}.");
        return fallback;
    }

    /// <summary>An array of the configuration, or one text with commas or spaces (handy as an environment variable).</summary>
    public IReadOnlyList<string> List(string name)
    {
        var items = configuration.GetSection(name).GetChildren().Select(child => child.Value ?? "").ToList();
        foreach (var child in configuration.GetSection(name).GetChildren()) known.Add(child.Path);
        if (Text(name) is { } text)
        {
            items.AddRange(text.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }
        return [.. items.Where(item => item.Length > 0)];
    }

    /// <summary>A setting nobody asked for is most likely a misspelt one: to ignore it would hide that it has no effect.</summary>
    public void RefuseUnknown(params string[] sections)
    {
        foreach (var section in sections)
        {
            foreach (
                var child in configuration.GetSection(section)
                    .GetChildren()
                    .Where(child => !known.Contains(child.Path) && !IsParent(child.Path)))
            {
                var names = known.Where(name => name.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase)).Order();
                Wrong($"{child.Path} is not a setting: use one of {string.Join(", ", names)}, or remove it.");
            }
        }
    }

    private bool IsParent(string path) => known.Any(name => name.StartsWith(path + ":", StringComparison.OrdinalIgnoreCase));
}
