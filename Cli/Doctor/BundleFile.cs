using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mirubato.Cli.Doctor;

/// <summary>Reads a support bundle. It comes from anybody, and parts of it are printed, so nothing of it is believed.</summary>
internal static class BundleFile
{
    private const string Format = "mirubato-support";
    private const int NewestVersion = 1;
    private const int BytesMax = 1024 * 1024;
    private const int DepthMax = 8;
    private const string AskAgain = "Have the app make it again with supportBundle(), and send the file unchanged.";

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.Strict,
        MaxDepth = DepthMax,
    };

    /// <exception cref="CommandFailedException">It is no bundle that this release reads. The message says what to do.</exception>
    public static SupportBundle Read(FileInfo file)
    {
        if (!file.Exists) throw new CommandFailedException(ExitCode.Usage, $"There is no file {file}.");
        if (file.Length > BytesMax)
            throw Wrong($"{file} has {file.Length:N0} bytes, and a support bundle has at most {BytesMax:N0}: it is another file.");
        try
        {
            using var parsed = JsonDocument.Parse(File.ReadAllBytes(file.FullName), new JsonDocumentOptions { MaxDepth = DepthMax });
            MustBeReadable(file, parsed.RootElement);
            return parsed.RootElement.Deserialize<SupportBundle>(Strict)!;
        }
        // Half of a surrogate pair is no text.
        catch (InvalidOperationException)
        {
            throw Wrong($"{file} is no whole support bundle: it holds text that is none.");
        }
        catch (JsonException wrong)
        {
            throw Wrong(
                wrong.Path is { } path && path != "$"
                    ? $"{file} is no whole support bundle: {path} is missing something, or of another kind."
                    : $"{file} is no whole support bundle: it is cut off, no JSON, or lacks members.");
        }
    }

    private static void MustBeReadable(FileInfo file, JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object || !root.TryGetProperty("format", out var format)
            || format.ValueKind is not JsonValueKind.String || format.GetString() != Format)
            throw Wrong($"{file} is JSON of something else: a support bundle has \"format\": \"{Format}\".");
        if (!root.TryGetProperty("version", out var member) || member.ValueKind is not JsonValueKind.Number
            || !member.TryGetInt32(out var version) || version < 1)
            throw Wrong($"{file} does not say of which version it is.");
        if (version > NewestVersion)
            throw new CommandFailedException(
                ExitCode.Failed, $"{file} is of version {version}, and this mirubato reads up to {NewestVersion}: use the mirubato of a "
                    + "newer release.");
        if (!IsPlain(root))
            throw Wrong($"{file} holds control characters, which no support bundle does.");
    }

    /// <summary>A control character could write anything to the terminal that shows it.</summary>
    private static bool IsPlain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().All(member => IsPlain(member.Name) && IsPlain(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().All(IsPlain),
        JsonValueKind.String => IsPlain(value.GetString()!),
        _ => true,
    };

    private static bool IsPlain(string text) => !text.Any(char.IsControl);

    private static CommandFailedException Wrong(string what) => new(ExitCode.Failed, $"{what} {AskAgain}");
}
