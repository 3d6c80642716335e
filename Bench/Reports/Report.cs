using System.Text.Json;
using Mirubato.Bench.Load;

namespace Mirubato.Bench.Reports;

/// <summary>One run, as --json writes it and compare reads it.</summary>
internal sealed record Report(Machine Machine, string Command, DateTimeOffset StartedAt, int Seed)
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    public List<Figures> Scenarios { get; init; } = [];

    public bool Failed => Scenarios.Any(figures => figures.Errors > 0);

    public void Write(FileInfo file) => File.WriteAllText(file.FullName, JsonSerializer.Serialize(this, Format) + "\n");

    /// <exception cref="JsonException">Not such a file.</exception>
    public static Report Read(FileInfo file) =>
        JsonSerializer.Deserialize<Report>(File.ReadAllText(file.FullName), Format) ?? throw new JsonException("It holds null.");
}
