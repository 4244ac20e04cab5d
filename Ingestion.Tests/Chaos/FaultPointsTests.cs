using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Chaos;

/// <summary>The hook by which the program fails on purpose.</summary>
public sealed class FaultPointsTests
{
    [Theory]
    [InlineData("after_claim", "after_claim", "acquire", 1)]
    [InlineData("after_claim:3", "after_claim", "acquire", 3)]
    [InlineData("after_claim@index", "after_claim", "index", 1)]
    [InlineData("before_flush; in_parser@a page.html:2=hang", "in_parser", "a page.html", 2)]
    public void A_fault_is_met_at_its_point_its_subject_and_its_time(string text, string point, string subject, int time)
    {
        var faults = Fault.Read(text)!;
        faults.Count(f => f.Meets("another_point", subject)).ShouldBe(0);
        for (var n = 1; n < time; n++) faults.ShouldAllBe(f => !f.Meets(point, subject));
        faults.Count(f => f.Meets(point, subject)).ShouldBe(1);
        faults.Count(f => f.Meets(point, subject)).ShouldBe(0, "only once");
    }

    [Fact]
    public void Every_time_and_another_subject()
    {
        var fault = Fault.Read("in_parser@bad:*=twice")!.ShouldHaveSingleItem();
        fault.Doubles.ShouldBeTrue();
        (fault.Meets("in_parser", "a bad one"), fault.Meets("in_parser", "a bad one"), fault.Meets("in_parser", "a good one"), fault.Meets("in_parser", null)).ShouldBe((true, true, false, false));
    }

    [Theory]
    [InlineData("after_claim:0")]
    [InlineData("after claim")]
    [InlineData("after_claim=dance")]
    [InlineData("@index")]
    public void What_is_not_understood_is_refused(string text) => Fault.Read(text).ShouldBeNull();

    [Fact]
    public async Task A_program_that_others_can_reach_refuses_the_hook()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync();
        using var data = new TemporaryDirectory();
        await using var app = AppProcess.Begin(new(data.Path)
        {
            Settings = [("ConnectionStrings:Ingestion", database.ConnectionString), ("Ingestion:Bind", "0.0.0.0")], Environment = [(FaultPoints.Variable, "after_claim")],
        });
        (await app.ExitAsync(TimeSpan.FromMinutes(1))).ShouldBe(1);
        app.Output.ShouldContain("INGESTION_FAULT makes the program fail on purpose");
    }
}
