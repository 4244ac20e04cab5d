using System.Diagnostics;
using System.Globalization;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Cli;

/// <summary>A real terminal with one command in it, in a tmux server of its own that is gone with it.</summary>
internal sealed class Tmux : IAsyncDisposable
{
    private readonly string _socket = $"ingestion-{Guid.NewGuid():n}";

    public static bool IsHere { get; } = Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(p => File.Exists(Path.Combine(p, "tmux")));

    /// <summary>Runs a command of the shell; its exit code stands below what it wrote.</summary>
    public static async Task<Tmux> StartAsync(string command, int columns = 100, int rows = 30)
    {
        var tmux = new Tmux();
        await tmux.RunAsync("-f", "/dev/null", "new-session", "-d", "-x", columns.ToString(CultureInfo.InvariantCulture), "-y", rows.ToString(CultureInfo.InvariantCulture), $"{command}; echo \"exit=$?\"; read -r _");
        return tmux;
    }

    /// <summary>What the terminal shows, once it holds a text.</summary>
    public async Task<IReadOnlyList<string>> ShowsAsync(string text)
    {
        var screen = "";
        await Eventually.IsAsync(async () => (screen = await RunAsync("capture-pane", "-p")).Contains(text, StringComparison.Ordinal), $"the terminal shows {text}", 60);
        return screen.Split('\n').Select(l => l.TrimEnd()).ToList();
    }

    public async ValueTask DisposeAsync() => await RunAsync("kill-server");

    private async Task<string> RunAsync(params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo("tmux", ["-L", _socket, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["TERM"] = "xterm-256color", ["TMUX"] = null } })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await errors);
        return output;
    }
}

/// <summary>A test in a real terminal; skipped where tmux is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TerminalFactAttribute : FactAttribute
{
    public TerminalFactAttribute()
    {
        if (!Tmux.IsHere) Skip = "tmux is not installed.";
    }
}
