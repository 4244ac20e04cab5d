using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>How a poppler tool ended. Signal is the number that killed it, else null.</summary>
internal sealed record PopplerExit(int Code, int? Signal, string Errors);

/// <summary>
/// Runs one poppler tool on one file as a child: address space, processor time and files limited by prlimit, environment empty,
/// wall-clock time limited here. prlimit replaces itself by the tool, so the child is the tool and its limits hold even when we die.
/// </summary>
internal static class PopplerProcess
{
    private const int MostErrors = 1 << 14;

    /// <summary>
    /// Streams the tool's output to a consumer. Throws <c>parse_timeout</c> where time runs out; any other ending is the result's.
    /// The child is dead when this returns or throws.
    /// </summary>
    public static Task<PopplerExit> RunAsync(string tool, IReadOnlyList<string> arguments, ParseLimits limits, Action<ReadOnlyMemory<char>> output, CancellationToken ct) =>
        RunAsync(tool, arguments, limits, async (process, token) =>
        {
            var buffer = new char[1 << 16];
            for (int read; (read = await process.StandardOutput.ReadAsync(buffer, token)) > 0;) output(buffer.AsMemory(0, read));
        }, ct);

    /// <summary>The same for a tool that writes bytes.</summary>
    public static Task<PopplerExit> RunAsync(string tool, IReadOnlyList<string> arguments, ParseLimits limits, Stream output, CancellationToken ct) =>
        RunAsync(tool, arguments, limits, (process, token) => process.StandardOutput.BaseStream.CopyToAsync(output, token), ct);

    private static async Task<PopplerExit> RunAsync(string tool, IReadOnlyList<string> arguments, ParseLimits limits, Func<Process, CancellationToken, Task> read, CancellationToken ct)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(limits.Timeout.TotalSeconds));
        using var process = Start(tool, arguments, limits.MaxMemoryBytes, seconds);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(limits.Timeout);
        try
        {
            process.StandardInput.Close();
            var errors = ReadErrorsAsync(process.StandardError, timeout.Token);
            await read(process, timeout.Token);
            await process.WaitForExitAsync(timeout.Token);
            var code = process.ExitCode;
            return new PopplerExit(code, code > 128 ? code - 128 : null, await errors);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw TimedOut(limits);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    public static IngestionException TimedOut(ParseLimits limits) =>
        new(ErrorCodes.ParseTimeout, string.Create(CultureInfo.InvariantCulture, $"The parser timed out: it exceeded the limit of {limits.Timeout.TotalSeconds:0.#} seconds."));

    private static Process Start(string tool, IReadOnlyList<string> arguments, long memory, int seconds)
    {
        var start = new ProcessStartInfo("prlimit")
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var limit in (string[])[$"--as={memory}", $"--cpu={seconds + 1}", "--core=0", "--fsize=0", "--nofile=64", "--", tool]) start.ArgumentList.Add(limit);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        start.Environment["LC_ALL"] = "C.UTF-8";
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new IngestionException(ErrorCodes.Unsupported, "PDF is unsupported on this machine: the programs prlimit and pdftotext (poppler-utils) are not installed.", e);
        }
    }

    private static async Task<string> ReadErrorsAsync(StreamReader errors, CancellationToken ct)
    {
        var kept = new StringBuilder();
        var buffer = new char[4096];
        // A broken file makes the tool complain without end: all of it is read, little of it is kept.
        for (int read; (read = await errors.ReadAsync(buffer, ct)) > 0;)
            if (kept.Length < MostErrors) kept.Append(buffer, 0, read);
        return kept.ToString().Trim();
    }
}
