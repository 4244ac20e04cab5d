using System.Diagnostics;
using System.Globalization;

namespace Ingestion.Tests.Support;

/// <summary>
/// Ends a process that a test started where the test process goes first, however that ends: a shell reads a pipe from us, and its
/// closing without a word means that nobody is left to stop the process.
/// </summary>
internal sealed class ProcessGuard : IDisposable
{
    private readonly Process _shell;

    public ProcessGuard(int process)
    {
        // A session of its own: what is sent to the runner's group must not end the guard first.
        const string Script = """read -r _ || { kill -CONT "$1"; kill -KILL "$1"; } 2>/dev/null""";
        _shell = Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", Script, "sh", process.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>The process is stopped or no longer anybody's business.</summary>
    public void Dispose()
    {
        _shell.StandardInput.WriteLine("done");
        _shell.StandardInput.Close();
        _shell.Dispose();
    }
}
