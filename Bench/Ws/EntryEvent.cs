using Mirubato.Bench.Scenarios;

namespace Mirubato.Bench.Ws;

/// <summary>
/// A new entry as an event, with a <c>mutationId</c> as a careful client gives it: exactly once has its price, and it is in the figures.
/// </summary>
internal static class EntryEvent
{
    public static RequestTemplate Template(EntryText entries, string run, int device, int notesBytes = 0)
    {
        var json = new TemplateWriter().Text("{\"type\":\"ENTRY_CREATED\",\"timestamp\":\"").Time()
            .Text($"\",\"deviceId\":\"bench-{device}\",\"mutationId\":\"m_{run}_").Number(0).Text("\",\"entry\":");
        entries.Write(json, 0);
        if (notesBytes > 0)
            json = Larger(json, notesBytes);
        return ClientFrame.Template(json.Text("}"));
    }

    // An unknown member beside the entry's own would be dropped; inside, nothing a client sends is stripped.
    private static TemplateWriter Larger(TemplateWriter json, int by) =>
        json.Cut(1).Text($",\"attachment\":\"{new string('x', by)}\"}}");
}
