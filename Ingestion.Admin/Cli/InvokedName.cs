namespace Ingestion.Admin.Cli;

/// <summary>The name that the program was called by. Under its other name it is a client: without a command it explains itself and starts no server.</summary>
internal static class InvokedName
{
    private const string Client = "catalystctl";

    /// <summary>The arguments to act on.</summary>
    public static string[] Arguments(string[] args) => args.Length == 0 && IsClient ? ["--help"] : args;

    // The runtime tells only the path of the library; the system keeps what was typed.
    private static bool IsClient => OperatingSystem.IsLinux() && Path.GetFileName(File.ReadAllText("/proc/self/cmdline").Split('\0')[0]) == Client;
}
