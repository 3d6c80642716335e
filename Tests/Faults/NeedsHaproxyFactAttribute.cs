namespace Mirubato.Tests.Faults;

/// <summary>Runs where HAProxy is. <c>./test</c> installs it where that is allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NeedsHaproxyFactAttribute : FactAttribute
{
    public NeedsHaproxyFactAttribute()
    {
        var places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin");
        if (!places.Any(place => File.Exists(Path.Combine(place, "haproxy"))))
            Skip = "HAProxy is missing and could not be installed (Debian, Ubuntu: apt-get install haproxy).";
    }
}
