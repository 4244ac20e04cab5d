using System.Globalization;

namespace Ingestion.Core.Postgres;

/// <summary>A server that is running on a data directory, as its pid file tells and the process table confirms.</summary>
internal sealed record Postmaster(int Pid, int Port, string SocketDirectory, bool IsReady)
{
    /// <summary>
    /// Null where none runs. The pid file alone is no proof: after a crash its number may belong to any other process, which must not be
    /// signalled. So the process has to be called postgres and to name this directory.
    /// </summary>
    /// <exception cref="UnauthorizedAccessException">This user may not read the data directory.</exception>
    public static Postmaster? Find(string dataDirectory)
    {
        var lines = ReadPidFile(dataDirectory);
        return lines.Length > 4
            && ReadPid(lines) is { } pid
            && int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port)
            && Serves(pid, dataDirectory)
            ? new Postmaster(pid, port, lines[4], lines.Length > 7 && lines[7].Trim() == "ready")
            : null;
    }

    /// <summary>Whether the pid file's number is that of a living process which is not this cluster's server. The server itself would refuse to start then.</summary>
    public static bool PidFileNamesStranger(string dataDirectory) =>
        ReadPid(ReadPidFile(dataDirectory)) is { } pid && Directory.Exists($"/proc/{pid}") && !Serves(pid, dataDirectory);

    public static string PidFile(string dataDirectory) => Path.Combine(dataDirectory, "postmaster.pid");

    private static string[] ReadPidFile(string dataDirectory)
    {
        try
        {
            return File.ReadAllLines(PidFile(dataDirectory));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static int? ReadPid(string[] lines) => lines.Length > 0 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid) && pid > 0 ? pid : null;

    private static bool Serves(int pid, string dataDirectory)
    {
        try
        {
            var command = File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
            return Path.GetFileName(command[0]) == "postgres"
                && (command.Contains(dataDirectory) || Directory.ResolveLinkTarget($"/proc/{pid}/cwd", returnFinalTarget: false)?.FullName == dataDirectory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended while being looked at, or it is another user's: not our server either way.
            return false;
        }
    }
}
