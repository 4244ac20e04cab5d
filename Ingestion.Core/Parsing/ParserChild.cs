using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>One worker process as its host sees it. Used by one document at a time; once dead it stays dead.</summary>
internal sealed class ParserChild : IDisposable
{
    private static readonly string[] Inherited = ["PATH", "DOTNET_ROOT", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", FaultPoints.Variable];
    private readonly Process _process;
    private readonly ParserPoolOptions _options;
    private readonly TimeProvider _time;
    private bool _busy;

    private ParserChild(Process process, ParserPoolOptions options, TimeProvider time)
    {
        (_process, _options, _time) = (process, options, time);
        // Read and dropped: a full pipe would stop the child.
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    /// <summary>Documents parsed so far.</summary>
    public int Documents { get; private set; }

    public bool IsAlive => !_process.HasExited;

    /// <summary>True where it can serve another document: alive, not left in the middle of one, not worn out.</summary>
    public bool IsReusable => IsAlive && !_busy && !IsWornOut;

    private bool IsWornOut => Documents >= _options.DocumentsPerWorker || ResidentBytes(Id) > _options.RecycleAboveBytes;

    /// <summary>Starts a child with the lowered priority of background work and an environment that holds only what the runtime needs.</summary>
    public static ParserChild Start(ParserPoolOptions options, TimeProvider time)
    {
        var start = new ProcessStartInfo("nice") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in (string[])["-n", "5", "--", .. options.Command]) start.ArgumentList.Add(word);
        var kept = Inherited.Select(n => (Name: n, Value: Environment.GetEnvironmentVariable(n))).Where(v => v.Value is not null).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in kept) start.Environment[name] = value;
        start.Environment["DOTNET_GCHeapHardLimit"] = options.HeapBytes.ToString("X", CultureInfo.InvariantCulture);
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        try
        {
            return new ParserChild(Process.Start(start)!, options, time);
        }
        catch (Win32Exception e)
        {
            throw new IngestionException(ErrorCodes.ParserCrashed, "The parser process cannot be started.", e);
        }
    }

    /// <summary>
    /// Has the child parse one document. After any exception but one that the child itself reported, the child is not reusable. The
    /// document's time begins when the child says that it has it: on a busy machine a new child takes seconds to start.
    /// </summary>
    public async Task<ParsedDocument> ParseAsync(string format, RawDocument raw, ParseLimits limits, ParseProgress? progress, CancellationToken ct)
    {
        var started = Documents > 0;
        var seen = false;
        using var expiry = new CancellationTokenSource(started ? limits.Timeout : _options.StartLimit, _time);
        using var full = new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, expiry.Token, full.Token);
        using var done = new CancellationTokenSource();
        var watch = WatchMemoryAsync(limits.MaxMemoryBytes, full, done.Token);
        ParseReply reply;
        _busy = true;
        try
        {
            await _process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(ParseFrames.Line(ParseRequest.For(format, raw, limits))), stop.Token);
            await _process.StandardInput.BaseStream.FlushAsync(stop.Token);
            do
            {
                reply = await ParseFrames.ReadAsync(_process.StandardOutput.BaseStream, MostBytes(limits), stop.Token);
                if (!reply.Last && !seen) FaultPoints.Reach(FaultPoints.WhileParsing, raw.Name);
                seen = true;
                if (!started) expiry.CancelAfter(limits.Timeout);
                started = true;
                if (reply is { Last: false, Message.Length: > 0 }) progress?.Invoke(reply.Current ?? 0, reply.Total, reply.Message);
            } while (!reply.Last);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
            ct.ThrowIfCancellationRequested();
            throw full.IsCancellationRequested ? MemoryExceeded(limits) : started ? PopplerProcess.TimedOut(limits) : NotStarted();
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            var died = e is not InvalidDataException;
            if (died) await WaitForEndAsync(); else await KillAsync();
            if (full.IsCancellationRequested) throw MemoryExceeded(limits);
            throw new IngestionException(ErrorCodes.ParserCrashed,
                died ? $"The {format} parser ended unexpectedly by {UnixSignal.Ending(_process.ExitCode)}." : $"The {format} parser answered in a form that is not its own.", e);
        }
        finally
        {
            await done.CancelAsync();
            await watch;
        }
        Documents++;
        _busy = reply.Leaving;
        if (reply.Error is not null) throw new IngestionException(ErrorCodes.Find(reply.Error), reply.Message ?? "The parser failed.");
        return reply.Document ?? throw new IngestionException(ErrorCodes.ParserCrashed, $"The {format} parser answered with nothing.");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>A closed pipe means that the child is ending; one that closes it and lives on is ended.</summary>
    private async Task WaitForEndAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
        }
    }

    private async Task WatchMemoryAsync(long most, CancellationTokenSource full, CancellationToken done)
    {
        using var timer = new PeriodicTimer(_options.WatchEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(done))
                if (ResidentBytes(Id) > most) { await full.CancelAsync(); return; }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // The document is finished, and so is the watch.
        }
    }

    /// <summary>Memory held by a process, in bytes; 0 where it is gone.</summary>
    private static long ResidentBytes(int id)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{id}/status"))
                if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(6).Trim().TrimEnd("kB "), CultureInfo.InvariantCulture) << 10;
        }
        catch (IOException)
        {
            return 0;
        }
        return 0;
    }

    private static long MostBytes(ParseLimits limits) => Math.Min(int.MaxValue, limits.MaxCharacters * 6 + (64L << 20));

    // No fault of the document's: it is tried again.
    private IngestionException NotStarted() =>
        new(ErrorCodes.ParserCrashed, string.Create(CultureInfo.InvariantCulture, $"The parser process did not start in {_options.StartLimit.TotalSeconds:0.#} seconds."));

    private static IngestionException MemoryExceeded(ParseLimits limits) =>
        new(ErrorCodes.LimitExceeded, $"The document exceeds the parser's memory limit of {limits.MaxMemoryBytes >> 20} MB.");
}
