using Microsoft.Extensions.Options;

namespace Ingestion.Core.Settings;

/// <summary>The one directory that holds what must survive a restart. Made when first asked for.</summary>
public sealed class DataDirectory(IOptions<IngestionOptions> options)
{
    /// <summary>Full path. Others may pass through it (the database's own user has to), but not list it.</summary>
    public string Path { get; } = Make(
        options.Value.Data is { Length: > 0 } chosen ? System.IO.Path.GetFullPath(chosen) : Usual(),
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);

    /// <summary>A directory below that only this user can read: <c>keys</c>, <c>artifacts</c> …</summary>
    public string Private(string name) => Make(
        System.IO.Path.Combine(Path, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private static string Usual() => Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows()
        ? "/var/lib/ingestion"
        : System.IO.Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "ingestion");

    private static string Make(string path, UnixFileMode mode)
    {
        try
        {
            if (OperatingSystem.IsWindows())
                return Directory.CreateDirectory(path).FullName;
            return Directory.CreateDirectory(path, mode).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{SettingNames.Describe("Ingestion:Data")}: the directory {path} cannot be made: {e.Message}", e);
        }
    }
}
