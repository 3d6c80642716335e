using System.Text.Json;
using Mirubato.Cli;

namespace Mirubato.Tests.Cli;

/// <summary>Runs the command line in this process.</summary>
internal static class CommandLine
{
    public static async Task<(int Code, string Out, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await MirubatoCommand.Run(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>The JSON output of a command that succeeds.</summary>
    public static async Task<JsonElement> Json(params string[] args)
    {
        var (code, output, error) = await Run([.. args, "--json"]);
        Assert.True(code == 0, $"{code}: {error}{output}");
        return JsonDocument.Parse(output).RootElement;
    }
}
