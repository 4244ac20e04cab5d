using System.Globalization;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>
/// One line for a fault: its name, the seed, the figures, and whether its criterion was met. Besides the test's own output it goes to
/// the file that <c>INGESTION_CHAOS_REPORT</c> names, from which <c>test.sh</c> prints it.
/// </summary>
internal sealed class ChaosReport(ITestOutputHelper output, string name, int? seed = null) : IDisposable
{
    private static readonly Lock File = new();
    private readonly List<string> _figures = [];
    private bool _passed;

    public void Figure(FormattableString figure) => _figures.Add(figure.ToString(CultureInfo.InvariantCulture));

    /// <summary>Everything that the fault asks for held.</summary>
    public void Pass() => _passed = true;

    public void Dispose()
    {
        var line = $"{name}{(seed is { } s ? $" seed={s.ToString(CultureInfo.InvariantCulture)}" : "")} {string.Join(", ", _figures)} {(_passed ? "PASS" : "FAIL")}";
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("INGESTION_CHAOS_REPORT") is not { Length: > 0 } file) return;
        lock (File) System.IO.File.AppendAllText(file, line + "\n");
    }
}
