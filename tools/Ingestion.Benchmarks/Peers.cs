using System.Diagnostics;

namespace Ingestion.Benchmarks;

/// <summary>Other software, measured by a kit of its own on the same machine right after ours. Its output goes to the console as it is.</summary>
internal static class Peers
{
    public static async Task RunAsync(string folder, string what, CancellationToken ct)
    {
        string[] parts = what switch { "documents" => ["b2"], "queue" => ["b1"], _ => ["b2", "b1"] };
        foreach (var part in parts)
        {
            Console.WriteLine($"\npeers: {Path.Join(folder, "run")} {part}");
            using var process = Process.Start(new ProcessStartInfo(Path.Join(folder, "run"), [part]) { WorkingDirectory = folder })
                ?? throw new InvalidOperationException($"{folder}/run cannot be started.");
            await process.WaitForExitAsync(ct);
        }
    }
}
