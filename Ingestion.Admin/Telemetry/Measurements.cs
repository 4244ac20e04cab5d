using System.Diagnostics.Metrics;
using System.Text;
using Ingestion.Admin.Access;
using Ingestion.Core.Telemetry;

namespace Ingestion.Admin.Telemetry;

/// <summary>
/// Keeps what the instruments of this program measure, and writes it as Prometheus text. An instrument has at most
/// <see cref="MostSeries"/> series: what would be more is not kept.
/// </summary>
internal sealed class Measurements : IDisposable
{
    public const int MostSeries = 500;

    private static readonly string[] Meters = [PipelineTelemetry.Name, "System.Runtime"];
    private readonly MeterListener _listener = new();
    private readonly object[] _scopes;
    private readonly SortedDictionary<string, MeasuredInstrument> _instruments = new(StringComparer.Ordinal);

    public Measurements(InstallationGauges gauges, OpenSockets sockets)
    {
        _scopes = [gauges, sockets];
        _listener.InstrumentPublished = Publish;
        _listener.SetMeasurementEventCallback<double>(Take);
        _listener.SetMeasurementEventCallback<long>((i, v, tags, state) => Take(i, v, tags, state));
        _listener.SetMeasurementEventCallback<int>((i, v, tags, state) => Take(i, v, tags, state));
        _listener.Start();
    }

    /// <summary>Everything that is known now, in Prometheus' text format.</summary>
    public string Write()
    {
        List<MeasuredInstrument> all;
        lock (_instruments) all = [.. _instruments.Values];
        foreach (var instrument in all) instrument.BeginLook();
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var instrument in all) instrument.Write(text);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Publish(Instrument instrument, MeterListener listener)
    {
        // Another installation in this process measures for itself.
        if (!Meters.Contains(instrument.Meter.Name) || (instrument.Meter.Scope is { } scope && !_scopes.Contains(scope))) return;
        MeasuredInstrument measured;
        lock (_instruments)
        {
            measured = new(instrument, MostSeries);
            if (!_instruments.TryAdd(measured.Name, measured)) measured = _instruments[measured.Name];
        }
        listener.EnableMeasurementEvents(instrument, measured);
    }

    private static void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) => ((MeasuredInstrument)state!).Take(value, tags);
}
