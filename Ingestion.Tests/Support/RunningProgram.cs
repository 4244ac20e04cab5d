using Xunit;

namespace Ingestion.Tests.Support;

/// <summary>Tests that start the program itself and measure it: one after another, so that they have a processor to themselves.</summary>
[CollectionDefinition(Name)]
public sealed class RunningProgram
{
    public const string Name = "Running program";
}
