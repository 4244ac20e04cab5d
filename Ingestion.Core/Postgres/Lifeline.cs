using System.Diagnostics;

namespace Ingestion.Core.Postgres;

/// <summary>
/// The server as a child of a shell that reads a pipe from us. Our death, by any signal, closes the pipe and the shell asks the server
/// for a fast shutdown. (A parent-death signal would fire when the forking thread ends, not the process.)
/// </summary>
internal sealed class Lifeline : IDisposable
{
    // The reader is a process of its own, so that it outlives a kill of the shell. A trapped signal ends wait early, hence the loop.
    private const string Script = """
        exec 3<&0 </dev/null >>"$0" 2>&1
        "$@" 3<&- &
        server=$!
        trap 'kill -INT $server 2>/dev/null' TERM INT
        (while read -r _ <&3; do :; done; kill -INT $server 2>/dev/null) &
        reader=$!
        wait $server; code=$?
        while kill -0 $server 2>/dev/null; do wait $server; code=$?; done
        kill $reader 2>/dev/null
        exit $code
        """;

    private readonly Process _shell;

    private Lifeline(Process shell) => (_shell, Ended) = (shell, shell.WaitForExitAsync());

    /// <summary>Completes when the server, or the shell that holds it, has ended.</summary>
    public Task Ended { get; }

    /// <summary>The shell's process id.</summary>
    public int Pid => _shell.Id;

    /// <param name="account">As whom to run.</param>
    /// <param name="server">The server's command line.</param>
    /// <param name="log">The file that takes the output of both; it must exist.</param>
    public static Lifeline Start(ServerAccount account, IEnumerable<string> server, string log)
    {
        // A session of its own: ctrl-C in a terminal must reach the app alone, which still needs the database to finish.
        var start = ChildProcess.StartInfo(account.Command(["setsid", "sh", "-c", Script, log, .. server]));
        start.RedirectStandardInput = true;
        return new Lifeline(ChildProcess.Start(start));
    }

    /// <summary>Asks for a fast shutdown and waits for it. False where the server is still there after the limit.</summary>
    public async Task<bool> StopAsync(TimeSpan limit, TimeProvider time)
    {
        _shell.StandardInput.Close();
        try
        {
            await Ended.WaitAsync(limit, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _shell.StandardInput.Close();
        _shell.Dispose();
    }
}
