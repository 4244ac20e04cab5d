using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ingestion.Core.Postgres;

/// <summary>
/// The cluster's place in the app's data directory: where each file is, and that one process at a time owns it. The lock is the
/// kernel's (flock), so the death of its owner by any signal frees it.
/// </summary>
internal sealed class ServerDirectory : IDisposable
{
    /// <summary>A unix socket's path holds 107 bytes; the file's own name takes up to 16.</summary>
    private const int LongestSocketDirectory = 107 - 16;
    private const int WouldBlock = 11;
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _lock;

    private ServerDirectory(string root, FileStream ownership) => (Root, _lock) = (root, ownership);

    /// <summary>The app's data directory, absolute.</summary>
    public string Root { get; }

    public string Data => DataIn(Root);

    /// <summary>Where a new cluster is made before it gets its name, so that an interrupted initdb is never taken for a cluster.</summary>
    public string Unfinished => Path.Combine(ClusterIn(Root), "data.new");

    public string Socket => SocketIn(Root);

    public string Log => Path.Combine(ClusterIn(Root), "postgres.log");

    public string HostAccess => Path.Combine(ClusterIn(Root), "hba.conf");

    public static string DataIn(string root) => Path.Combine(ClusterIn(root), "data");

    /// <summary>Makes what is missing and takes ownership for this process.</summary>
    /// <exception cref="EmbeddedPostgresException">Another process owns it, or it cannot be written or reached.</exception>
    public static async Task<ServerDirectory> OpenAsync(string root, ServerAccount account, TimeProvider time, CancellationToken ct)
    {
        root = Path.GetFullPath(root);
        var cluster = ClusterIn(root);
        FileStream ownership;
        try
        {
            CreateTraversable(root, account);
            CreateTraversable(cluster, account);
            ownership = await LockAsync(Path.Combine(cluster, "owner.lock"), time, ct);
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            throw new EmbeddedPostgresException(
                $"The data directory {root} is in use by another running instance{Owner(cluster)}. Stop that one, or start this one with a directory of its own in INGESTION_DATA.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedPostgresException($"The data directory {root} cannot be written by the user {Environment.UserName}: {e.Message} Name another one in INGESTION_DATA.", e);
        }

        var directory = new ServerDirectory(root, ownership);
        try
        {
            await File.WriteAllTextAsync(OwnerFile(cluster), Environment.ProcessId.ToString(CultureInfo.InvariantCulture), ct);
            if (!await account.CanEnterAsync(cluster, ct))
                throw new EmbeddedPostgresException(
                    $"The data directory {root} cannot be reached by the user postgres, as which the server runs. Make its parents traversable (chmod o+x), or name one outside of root's home in INGESTION_DATA, such as /var/lib/ingestion.");
            await directory.CreateSocketDirectoryAsync(account, ct);
            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>To be called when the server has stopped: its folder for run-time files would otherwise outlive the data directory.</summary>
    public void RemoveSocketDirectory()
    {
        if (Directory.Exists(Socket))
            Directory.Delete(Socket, recursive: true);
    }

    public void Dispose() => _lock.Dispose();

    /// <summary>With a little patience: an owner that was just killed holds the lock until its last thread has ended.</summary>
    private static async Task<FileStream> LockAsync(string path, TimeProvider time, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.HResult == WouldBlock && time.GetElapsedTime(started) < LockPatience)
            {
                await Task.Delay(LockPoll, time, ct);
            }
        }
    }

    private async Task CreateSocketDirectoryAsync(ServerAccount account, CancellationToken ct)
    {
        if (new DirectoryInfo(Socket).LinkTarget is not null)
            throw new EmbeddedPostgresException($"{Socket} is a symbolic link and is not used for the server's socket. Remove it.");
        try
        {
            await account.CreatePrivateDirectoryAsync(Socket, ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddedPostgresException($"The socket directory {Socket} cannot be made this user's own: {e.Message}", e);
        }
    }

    private static string ClusterIn(string root) => Path.Combine(Path.GetFullPath(root), "postgres");

    private static string OwnerFile(string cluster) => Path.Combine(cluster, "owner.pid");

    /// <summary>Beside the data where its path is short and plain; else in a folder for run-time files, told apart by a hash.</summary>
    private static string SocketIn(string root)
    {
        var near = Path.Combine(ClusterIn(root), "run");
        if (near.Length <= LongestSocketDirectory && near.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '_' or '-'))
            return near;
        var name = "ingestion-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(root))))[..16];
        if (Environment.IsPrivilegedProcess)
            return Path.Combine("/run", name);
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return Path.Combine(Directory.Exists(runtime) ? runtime : "/tmp", name);
    }

    private static void CreateTraversable(string path, ServerAccount account)
    {
        if (Directory.Exists(path))
            return;
        Directory.CreateDirectory(path);
        ServerAccount.SetMode(path, ServerAccount.PrivateDirectory | (account.IsOther ? UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : 0));
    }

    private static string Owner(string cluster)
    {
        var file = OwnerFile(cluster);
        return File.Exists(file) && int.TryParse(File.ReadAllText(file), out var pid) && Directory.Exists($"/proc/{pid}") ? $" (process {pid})" : "";
    }
}
