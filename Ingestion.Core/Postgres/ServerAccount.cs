namespace Ingestion.Core.Postgres;

/// <summary>
/// The system user the server runs as: our own, or <c>postgres</c> where we are root, because PostgreSQL refuses to run as root.
/// </summary>
internal sealed class ServerAccount
{
    public const UnixFileMode PrivateDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string User = "postgres";

    /// <summary>Whether the server's files must be given to another user.</summary>
    public bool IsOther { get; private init; }

    /// <exception cref="EmbeddedPostgresException">We are root and the machine has no user postgres.</exception>
    public static async Task<ServerAccount> FindAsync(CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
            return new ServerAccount();
        var (exitCode, _) = await ChildProcess.RunAsync(["id", "-u", User], ct);
        return exitCode == 0 ? new ServerAccount { IsOther = true } : throw new EmbeddedPostgresException(
            $"PostgreSQL refuses to run as root and this machine has no user {User}. Run \"useradd --system {User}\", or start the app as another user than root.");
    }

    /// <summary>The command, run as this user.</summary>
    public IReadOnlyList<string> Command(params IEnumerable<string> command) => IsOther
        ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--init-groups", "--", .. command]
        : [.. command];

    /// <summary>Runs a program as this user; a failing one is an exception with its output.</summary>
    public async Task RunAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        var (exitCode, output) = await ChildProcess.RunAsync(Command(command), ct);
        if (exitCode != 0)
            throw new EmbeddedPostgresException($"{Path.GetFileName(command[0])} failed with exit code {exitCode}: {output.Trim()}");
    }

    /// <summary>Makes a directory that nobody but this user (and root) can enter.</summary>
    public async Task CreatePrivateDirectoryAsync(string path, CancellationToken ct)
    {
        Directory.CreateDirectory(path);
        // Only an owner may change a mode: this also refuses a directory that another user has put there before us.
        SetMode(path, PrivateDirectory);
        await TakeAsync(path, ct);
    }

    /// <exception cref="EmbeddedPostgresException">The system has no such modes.</exception>
    public static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
            throw new EmbeddedPostgresException("The app starts its own PostgreSQL on Linux only. Name a server in ConnectionStrings__Ingestion.");
        File.SetUnixFileMode(path, mode);
    }

    /// <summary>Makes an existing file or directory this user's own.</summary>
    public async Task TakeAsync(string path, CancellationToken ct)
    {
        if (!IsOther)
            return;
        var (exitCode, output) = await ChildProcess.RunAsync(["chown", "--no-dereference", $"{User}:", path], ct);
        if (exitCode != 0)
            throw new EmbeddedPostgresException($"{path} cannot be given to the user {User}: {output.Trim()}");
    }

    /// <summary>Whether this user can enter the directory, through all of its parents.</summary>
    public async Task<bool> CanEnterAsync(string path, CancellationToken ct) =>
        !IsOther || (await ChildProcess.RunAsync(Command("test", "-x", path), ct)).ExitCode == 0;
}
