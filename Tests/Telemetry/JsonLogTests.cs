using System.Diagnostics;
using System.Text.Json;
using Mirubato.Tests.EndToEnd;
using Mirubato.Tests.Faults;
using Mirubato.Tests.Silo;

namespace Mirubato.Tests.Telemetry;

/// <summary>What a collector of logs reads from a process.</summary>
public sealed class JsonLogTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_line_of_the_log_is_an_object_that_names_the_trace_of_its_request()
    {
        await using var silo = await SiloProcess.Start("--Logging:LogLevel:Microsoft.AspNetCore.Hosting=Information");
        using var phone = new HttpDevice(silo.Url, "ada-who-is-nobody-elses-business", "phone");
        var trace = ActivityTraceId.CreateRandom().ToHexString();

        using var answer = await phone.Send(
            HttpMethod.Get, "/api/sync/status", null, null,
            ("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01"));

        Assert.True(await Patiently.Until(() => silo.Printed.Contains(trace, StringComparison.Ordinal), Patience), silo.Printed);
        foreach (var line in silo.Printed.Split('\n'))
        {
            using var json = JsonDocument.Parse(line);
            Assert.NotEmpty(json.RootElement.GetProperty("Message").GetString()!);
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", json.RootElement.GetProperty("Timestamp").GetString());
        }

        Assert.DoesNotContain("ada-who", silo.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_Development_a_person_reads_text()
    {
        await using var silo = await SiloProcess.Start("--environment=Development");

        Assert.DoesNotContain("{\"EventId\"", silo.Printed, StringComparison.Ordinal);
    }
}
