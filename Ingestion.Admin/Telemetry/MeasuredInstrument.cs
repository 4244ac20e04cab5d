using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Ingestion.Admin.Telemetry;

/// <summary>One instrument's series: sums of counters, buckets of histograms, the last values of gauges.</summary>
internal sealed class MeasuredInstrument(Instrument instrument, int mostSeries)
{
    private enum Kind { Gauge, Counter, ObservedCounter, Histogram }

    private readonly Kind _kind = KindOf(instrument);
    private readonly double[] _bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? [];
    private readonly Dictionary<string, Series> _series = [];
    private readonly Lock _lock = new();

    public string Name { get; } = NameOf(instrument);

    /// <summary>What is observed is observed anew: a series of something that has ended is no more.</summary>
    public void BeginLook()
    {
        if (_kind is not (Kind.Gauge or Kind.ObservedCounter)) return;
        lock (_lock) _series.Clear();
    }

    public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        lock (_lock)
        {
            if (!_series.TryGetValue(labels, out var series))
            {
                if (_series.Count >= mostSeries) return;
                _series.Add(labels, series = new(new long[_bounds.Length]));
            }
            if (_kind is Kind.Gauge or Kind.ObservedCounter) series.Sum = value;
            else series.Sum += value;
            series.Count++;
            for (var i = 0; i < _bounds.Length; i++)
                if (value <= _bounds[i]) series.Buckets[i]++;
        }
    }

    public void Write(StringBuilder text)
    {
        lock (_lock)
        {
            if (_series.Count == 0) return;
            text.Append("# HELP ").Append(Name).Append(' ').Append((instrument.Description ?? "").Replace("\\", @"\\", StringComparison.Ordinal).ReplaceLineEndings(" ")).Append('\n');
            text.Append("# TYPE ").Append(Name).Append(' ').Append(_kind switch { Kind.Gauge => "gauge", Kind.Histogram => "histogram", _ => "counter" }).Append('\n');
            foreach (var (labels, series) in _series.OrderBy(s => s.Key, StringComparer.Ordinal))
            {
                if (_kind != Kind.Histogram)
                {
                    Line(text, Name, labels, series.Sum);
                    continue;
                }
                for (var i = 0; i < _bounds.Length; i++) Line(text, Name + "_bucket", With(labels, Number(_bounds[i])), series.Buckets[i]);
                Line(text, Name + "_bucket", With(labels, "+Inf"), series.Count);
                Line(text, Name + "_sum", labels, series.Sum);
                Line(text, Name + "_count", labels, series.Count);
            }
        }
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string With(string labels, string bound) => $"{labels}{(labels.Length > 0 ? "," : "")}le=\"{bound}\"";

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0) return "";
        var labels = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            if (labels.Length > 0) labels.Append(',');
            var shown = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            labels.Append(Word(name)).Append("=\"").Append(shown.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('"');
        }
        return labels.ToString();
    }

    private static string NameOf(Instrument instrument) =>
        Word(instrument.Name) is var name && KindOf(instrument) is Kind.Counter or Kind.ObservedCounter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;

    private static string Word(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static Kind KindOf(Instrument instrument) => instrument.GetType().GetGenericTypeDefinition() switch
    {
        var t when t == typeof(Counter<>) => Kind.Counter,
        var t when t == typeof(ObservableCounter<>) => Kind.ObservedCounter,
        var t when t == typeof(Histogram<>) => Kind.Histogram,
        // Changes add up.
        var t when t == typeof(UpDownCounter<>) => Kind.Counter,
        _ => Kind.Gauge,
    };

    private sealed class Series(long[] buckets)
    {
        public readonly long[] Buckets = buckets;
        public double Sum;
        public long Count;
    }
}
