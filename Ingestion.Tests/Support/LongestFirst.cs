using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Ingestion.Tests.Support.LongestFirst", "Ingestion.Tests")]

namespace Ingestion.Tests.Support;

/// <summary>
/// Begins with the tests that start the program itself: they come one after another and take the longest, so the others run beside them.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderByDescending(c => c.DisplayName == RunningProgram.Name);
}
