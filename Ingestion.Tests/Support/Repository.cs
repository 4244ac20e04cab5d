namespace Ingestion.Tests.Support;

/// <summary>The source tree the tests were built from.</summary>
internal static class Repository
{
    /// <summary>The directory that holds the solution.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Ingestion.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException($"No Ingestion.sln above {AppContext.BaseDirectory}");
        return directory.FullName;
    }
}
