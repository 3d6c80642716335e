namespace Mirubato.Cli.Doctor;

internal enum Light
{
    Green,

    /// <summary>It works, and will not for ever, or not as promised.</summary>
    Amber,
    Red,
}

/// <summary>One line of <c>doctor</c>.</summary>
/// <param name="Check">What was looked at; a stable word for machines.</param>
/// <param name="Remedy">What to do; null only for green.</param>
internal sealed record Finding(string Check, Light Light, string Says, string? Remedy = null)
{
    public static Finding Good(string check, string says) => new(check, Light.Green, says);

    public static Finding Warn(string check, string says, string remedy) => new(check, Light.Amber, says, remedy);

    public static Finding Bad(string check, string says, string remedy) => new(check, Light.Red, says, remedy);
}
