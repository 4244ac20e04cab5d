using System.Reflection;
using Ingestion.Admin.Components.Pages.Batches;
using Ingestion.Core.Events;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Batches;

public sealed class EventWordsTests
{
    [Fact]
    public void Every_kind_has_words_even_without_data()
    {
        foreach (var kind in typeof(EventKinds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!))
            EventWords.Of(Event(kind)).Icon.ShouldNotBe("info", kind);
    }

    [Theory]
    [InlineData(EventKinds.StageDone, "parse", """{"chunks": 10, "format": "html"}""", "Parsed html into 10 chunks.")]
    [InlineData(EventKinds.ItemFailed, "acquire", """{"code":"not_found","message":"Gone.","attempt":1}""", "Failed: Gone.")]
    [InlineData(EventKinds.ItemFailed, "acquire", """{"code":"x","message":"Down.","attempt":3}""", "Failed after 3 attempts: Down.")]
    [InlineData(EventKinds.AttemptFailed, "embed", """{"message":"Slow.","attempt":2}""", "Attempt 2 at embedding failed, another follows: Slow.")]
    [InlineData(EventKinds.BatchRetried, null, """{"items":2,"inputs":1}""", "2 documents opened again and 1 source.")]
    [InlineData(EventKinds.BatchCompleted, null, """{"state":"failed"}""", "The batch ended: failed.")]
    public void Facts_read_as_sentences(string kind, string? stage, string data, string text) => EventWords.Of(Event(kind, stage, data)).Text.ShouldBe(text);

    private static StoredEvent Event(string kind, string? stage = null, string? data = null) => new(1, 1, DateTimeOffset.UnixEpoch, kind, null, null, stage, data);
}
