namespace Ingestion.Core.Parsing;

/// <summary>Names of the signals that end processes, for messages.</summary>
internal static class UnixSignal
{
    public static string Name(int signal) => signal switch
    {
        4 => "signal 4 (SIGILL)", 6 => "signal 6 (SIGABRT)", 7 => "signal 7 (SIGBUS)", 8 => "signal 8 (SIGFPE)", 9 => "signal 9 (SIGKILL)",
        11 => "signal 11 (SIGSEGV)", 15 => "signal 15 (SIGTERM)", 24 => "signal 24 (SIGXCPU)", 25 => "signal 25 (SIGXFSZ)", 31 => "signal 31 (SIGSYS)",
        _ => $"signal {signal}",
    };

    /// <summary>An exit code as the runtime reports it: above 128 it is a signal.</summary>
    public static string Ending(int exitCode) => exitCode > 128 ? Name(exitCode - 128) : $"exit code {exitCode}";
}
