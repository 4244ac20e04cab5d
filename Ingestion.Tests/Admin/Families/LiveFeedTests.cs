using Ingestion.Admin.Api.Live;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

public sealed class LiveFeedTests
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(250);

    [Theory]
    [InlineData(1, 0, 250)]
    [InlineData(2_000, 0, 250)]
    [InlineData(9_000, 0, 1000)]
    [InlineData(36_000, 0, 4000)]
    [InlineData(1, 100, 400)]
    [InlineData(1, 60_000, 1000)]
    [InlineData(18_000, 60_000, 2000)]
    public void Rest_grows_with_readers_and_with_what_reading_costs(int readers, int cost, int rest) =>
        LiveFeed.Pause(Least, readers, TimeSpan.FromMilliseconds(cost)).ShouldBe(TimeSpan.FromMilliseconds(rest));

    [Fact]
    public async Task Any_number_of_signals_before_a_wait_count_as_one()
    {
        var reader = new LiveReader(LiveWants.Facts);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(reader.Signal)));
        await reader.WaitAsync(CancellationToken.None);
        reader.WaitAsync(CancellationToken.None).IsCompleted.ShouldBeFalse("nothing is kept for one that does not read");
    }
}
