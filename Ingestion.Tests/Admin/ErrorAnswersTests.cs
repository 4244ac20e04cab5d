using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.Api;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class ErrorAnswersTests
{
    [Fact]
    public async Task Known_failure_becomes_its_status_with_code_remedy_and_the_time_to_come_back()
    {
        var (answer, body) = await AskAsync(() => throw new IngestionException(ErrorCodes.Throttled, "The source is busy.") { RetryAfter = TimeSpan.FromSeconds(1.2) });
        answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(2));
        body.GetProperty("detail").GetString().ShouldBe("The source is busy.");
        body.GetProperty("code").GetString().ShouldBe("throttled");
        body.GetProperty("remedy").GetString().ShouldBe(ErrorCodes.Throttled.Remedy);
    }

    [Fact]
    public async Task Surprise_becomes_500_without_a_word_of_what_happened()
    {
        var (answer, body) = await AskAsync(() => throw new InvalidOperationException("secret=1234"));
        answer.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        body.GetRawText().ShouldNotContain("secret");
        body.GetRawText().ShouldNotContain("Exception");
        body.GetProperty("correlation_id").GetString().ShouldBe(answer.Headers.GetValues("X-Correlation-Id").Single());
    }

    [Fact]
    public async Task Database_that_is_away_becomes_503_with_the_time_to_come_back()
    {
        var (answer, body) = await AskAsync(() => throw new Npgsql.NpgsqlException("Host=secret"));
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));
        body.GetRawText().ShouldNotContain("secret");
    }

    [Fact]
    public async Task Full_disk_becomes_507() =>
        (await AskAsync(() => throw new IngestionException(ErrorCodes.StorageFull, "No space."))).Answer.StatusCode.ShouldBe(HttpStatusCode.InsufficientStorage);

    [Fact]
    public void Every_code_has_a_status_of_an_error() =>
        ErrorCodes.All.ShouldAllBe(c => ErrorAnswers.StatusOf(c) >= 400 && ErrorAnswers.StatusOf(c) < 600);

    private static async Task<(HttpResponseMessage Answer, JsonElement Body)> AskAsync(Func<IResult> fail)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddErrorAnswers();
        await using var app = builder.Build();
        app.UseMiddleware<Correlation>();
        app.UseErrorAnswers();
        app.UseRouting();
        app.MapGet("/api/fail", fail);
        await app.StartAsync();
        using var client = new HttpClient();
        var answer = await client.GetAsync(app.Urls.First() + "/api/fail");
        return (answer, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }
}
