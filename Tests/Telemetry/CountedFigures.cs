using System.Diagnostics.Metrics;

namespace Mirubato.Tests.Telemetry;

/// <summary>What one meter counts, by the value of its one tag.</summary>
internal sealed class CountedFigures : IDisposable
{
    private readonly Dictionary<(string, string), long> counts = [];
    private readonly MeterListener listener = new();

    public CountedFigures(Meter meter)
    {
        listener.InstrumentPublished = (instrument, one) =>
        {
            if (ReferenceEquals(instrument.Meter, meter)) one.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var tag = tags.Length == 1 ? $"{tags[0].Value}" : "";
            lock (counts) counts[(instrument.Name, tag)] = counts.GetValueOrDefault((instrument.Name, tag)) + value;
        });
        listener.Start();
    }

    public long this[string name, string tag]
    {
        get
        {
            lock (counts) return counts.GetValueOrDefault((name, tag));
        }
    }

    public void Dispose() => listener.Dispose();
}
