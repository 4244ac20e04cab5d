namespace Ingestion.Tests.Support;

/// <summary>How the program is started.</summary>
/// <param name="Data">Its data directory.</param>
public sealed record Launch(string Data)
{
    /// <summary>Named as in the settings file.</summary>
    public (string Key, string Value)[] Settings { get; init; } = [];

    /// <summary>Further variables of its environment.</summary>
    public (string Name, string Value)[] Environment { get; init; } = [];

    /// <summary>A command that runs it, such as <c>faketime</c>, with its arguments. It must become the program, so that signals reach it.</summary>
    public string[] Prefix { get; init; } = [];
}
