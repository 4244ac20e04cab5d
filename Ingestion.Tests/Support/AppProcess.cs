using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ingestion.Tests.Postgres;
using Shouldly;

namespace Ingestion.Tests.Support;

/// <summary>
/// The real program in a process of its own, with its own database server, on a free port and a data directory that outlives it: so that
/// it can be killed and started again.
/// </summary>
public sealed partial class AppProcess : IAsyncDisposable
{
    public const string Key = "a-key-of-the-tests-0123456789";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(10);
    private readonly Process _process;
    private readonly ProcessGuard _guard;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private AppProcess(ProcessStartInfo start)
    {
        _process = new() { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, e) => Read(e.Data);
        _process.ErrorDataReceived += (_, e) => Read(e.Data);
        _process.Exited += (_, _) =>
        {
            _ended.TrySetResult();
            _port.TrySetException(new ShouldAssertException($"It ended before it was ready:\n{Output}"));
        };
        _process.Start();
        _guard = new(_process.Id);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Sends the key with every request.</summary>
    public HttpClient Client { get; } = new() { DefaultRequestHeaders = { { "X-Api-Key", Key } }, Timeout = TimeSpan.FromMinutes(2) };

    /// <summary>What it wrote to its console so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>The one-time address that it printed for a browser.</summary>
    public string SignInLink => Link().Match(Output).Value;

    /// <summary>Memory of the program itself, in bytes, without its parsers and its database.</summary>
    public long WorkingSet
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts it on a data directory and waits until it answers. Settings are named as in the settings file.</summary>
    public static async Task<AppProcess> StartAsync(string data, params (string Key, string Value)[] settings)
    {
        var app = Begin(new(data) { Settings = settings });
        await app.ReadyAsync();
        return app;
    }

    /// <summary>Starts it and does not wait.</summary>
    public static AppProcess Begin(Launch launch)
    {
        var start = Program(launch.Data, [.. launch.Settings.Select(s => $"--{s.Key}={s.Value}")], launch.Prefix);
        start.Environment["INGESTION_PORT"] = "0";
        start.Environment["INGESTION_BOOTSTRAP_KEY"] = Key;
        foreach (var (name, value) in launch.Environment) start.Environment[name] = value;
        return new(start);
    }

    /// <summary>Waits until it answers.</summary>
    public async Task ReadyAsync(TimeSpan? patience = null)
    {
        try
        {
            Client.BaseAddress = new($"http://localhost:{await _port.Task.WaitAsync(patience ?? StartLimit)}");
            // On a machine that starts many at once its database may take longer than health allows.
            await Eventually.IsAsync(async () => (await Client.GetAsync("/health")).IsSuccessStatusCode, "it is well", 180);
        }
        catch
        {
            if (!HasExited) await KillAsync();
            throw;
        }
    }

    /// <summary>Waits until it has ended by itself; its exit code. Fails with what it wrote where it does not end.</summary>
    public async Task<int> ExitAsync(TimeSpan patience)
    {
        try
        {
            // Its own end, and not that of its console, which a process it started may keep open for longer.
            await _ended.Task.WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            throw new ShouldAssertException($"It still runs after {patience.TotalSeconds:0} s:\n{Output}");
        }
        await Task.WhenAny(_process.WaitForExitAsync(), Task.Delay(LastWords));
        return _process.ExitCode;
    }

    /// <summary>Sends a signal, such as <c>STOP</c>.</summary>
    public Task SignalAsync(string name) => Processes.SignalAsync(Id, name);

    /// <summary>Runs <c>ingestion verify</c> beside the program on its data directory; what it printed. Fails where it found anything.</summary>
    public static async Task<string> VerifyAsync(string data, params (string Key, string Value)[] settings)
    {
        using var verify = Process.Start(Program(data, ["verify", .. settings.Select(s => $"--{s.Key}={s.Value}")], []))!;
        var errors = verify.StandardError.ReadToEndAsync();
        var report = await verify.StandardOutput.ReadToEndAsync();
        await verify.WaitForExitAsync();
        verify.ExitCode.ShouldBe(0, report + await errors);
        return report;
    }

    /// <summary>How it ended; only once it has.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Stops it in the middle of whatever it does, as a paused virtual machine would; <see cref="WakeAsync"/> lets it go on.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    public Task WakeAsync() => SignalAsync("CONT");

    /// <summary>Ends it as a power cut would: SIGKILL to this one process.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to stop and waits until it has.</summary>
    public async Task StopAsync()
    {
        if (_process.HasExited) return;
        await SignalAsync("TERM");
        // One that a test froze hears of it only then.
        await SignalAsync("CONT");
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(40));
        }
        catch (TimeoutException)
        {
            await KillAsync();
            throw new ShouldAssertException($"It did not stop in 40 s:\n{Output}");
        }
    }

    /// <summary>Uploads a file in one request and returns its id.</summary>
    public async Task<string> UploadAsync(string path, byte[] content, string purpose = "file")
    {
        using var answer = await Client.PostAsync($"/api/v1/uploads/file?path={Uri.EscapeDataString(path)}&purpose={purpose}", new ByteArrayContent(content));
        return (await JsonAsync(answer)).GetProperty("id").GetString()!;
    }

    /// <summary>Submits a batch and returns its id.</summary>
    public async Task<string> SubmitAsync(object request)
    {
        using var answer = await Client.PostAsJsonAsync("/api/v1/batches", request);
        return (await JsonAsync(answer)).GetProperty("id").GetString()!;
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await Client.GetAsync(path);
        return await JsonAsync(answer);
    }

    /// <summary>The answer's JSON; fails with its text where it is no success.</summary>
    public static async Task<JsonElement> JsonAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue($"{(int)answer.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    /// <summary>Asks again and again until a batch is what the test waits for.</summary>
    public async Task<JsonElement> BatchAsync(string id, Func<JsonElement, bool> reached, TimeSpan patience)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        for (var clock = Stopwatch.StartNew(); ; await timer.WaitForNextTickAsync())
        {
            var batch = await GetAsync($"/api/v1/batches/{id}");
            if (reached(batch)) return batch;
            if (clock.Elapsed > patience) throw new ShouldAssertException($"After {clock.Elapsed.TotalSeconds:0} s the batch is {batch}\n{Output}");
        }
    }

    /// <summary>Waits until a batch has ended.</summary>
    public Task<JsonElement> EndedAsync(string id, TimeSpan patience) => BatchAsync(id, HasEnded, patience);

    public static bool HasEnded(JsonElement batch) => batch.GetProperty("state").GetString() is "completed" or "failed" or "cancelled";

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Client.Dispose();
        _guard.Dispose();
        _process.Dispose();
    }

    private static ProcessStartInfo Program(string data, string[] arguments, string[] prefix)
    {
        string[] command = [.. prefix, "dotnet", Path.Combine(AppContext.BaseDirectory, "ingestion.dll"), .. arguments];
        return new(command[0], command[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = data, Environment = { ["INGESTION_DATA"] = data },
        };
    }

    private void Read(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
        if (Ready().Match(line) is { Success: true } ready) _port.TrySetResult(int.Parse(ready.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"http://localhost:\d+/\S*token=\S+", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    [GeneratedRegex(@"Ingestion is ready\..*http://localhost:(\d+)/", RegexOptions.CultureInvariant)]
    private static partial Regex Ready();
}
