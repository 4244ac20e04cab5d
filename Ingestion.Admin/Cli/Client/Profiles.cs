using System.Text.Json;

namespace Ingestion.Admin.Cli.Client;

/// <summary>A server and the key to it.</summary>
internal sealed record Profile(string Server, string? Key);

/// <summary>Named servers of a person, in a file that only this person can read.</summary>
internal sealed record Profiles(string? Default, IReadOnlyDictionary<string, Profile> Named)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary><c>INGESTION_PROFILES</c>, else <c>ingestion/profiles.json</c> in the person's configuration directory.</summary>
    public static string Path => Environment.GetEnvironmentVariable("INGESTION_PROFILES") is { Length: > 0 } chosen ? chosen
        : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "ingestion", "profiles.json");

    /// <summary>None where there is no file. Throws <see cref="ClientException"/> where it cannot be read, or where others can read it.</summary>
    public static Profiles Read(string path)
    {
        if (!File.Exists(path)) return new(null, new Dictionary<string, Profile>());
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~Private) != 0)
            throw new ClientException(ExitCodes.Usage, $"{path} holds keys and others may read it: chmod 600 it.");
        try
        {
            return JsonSerializer.Deserialize<Profiles>(File.ReadAllText(path), Json) is { Named: not null } profiles ? profiles : throw new JsonException();
        }
        catch (JsonException e)
        {
            throw new ClientException(ExitCodes.Usage, $"{path} is not a list of profiles. Remove it, then: ingestion profile set NAME --server URL", e);
        }
    }

    /// <summary>Replaces the file at once or not at all.</summary>
    public void Write(string path)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
        var beside = path + ".new";
        var create = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) create.UnixCreateMode = Private;
        using (var file = new FileStream(beside, create)) JsonSerializer.Serialize(file, this, Json);
        File.Move(beside, path, overwrite: true);
    }
}
