using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Addresses of videos, the choice of captions, their formats and the document made of them.</summary>
public sealed class CaptionsTests
{
    private static readonly CaptionTrack[] Tracks = [new("1", "de", false), new("2", "en", true), new("3", "en-GB", false), new("4", "fr", true)];

    [Theory]
    [InlineData("dQw4w9WgXcQ", "dQw4w9WgXcQ")]
    [InlineData("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s&list=PLaaaaaaaaaaaa", "dQw4w9WgXcQ")]
    [InlineData("https://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ", "dQw4w9WgXcQ")]
    [InlineData("https://youtu.be/dQw4w9WgXcQ?si=abc", "dQw4w9WgXcQ")]
    [InlineData("https://www.youtube.com/shorts/dQw4w9WgXcQ", "dQw4w9WgXcQ")]
    [InlineData("https://www.youtube.com/live/dQw4w9WgXcQ?feature=share", "dQw4w9WgXcQ")]
    [InlineData("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", "dQw4w9WgXcQ")]
    [InlineData("https://www.youtube.com/playlist?list=PLaaaaaaaaaaaa", null)]
    [InlineData("https://example.org/watch?v=dQw4w9WgXcQ", null)]
    [InlineData("https://youtube.com.example.org/watch?v=dQw4w9WgXcQ", null)]
    [InlineData("https://www.youtube.com/watch?v=../../secret", null)]
    [InlineData("dQw4w9WgXc", null)]
    public void Address_of_a_video_is_its_id(string text, string? id) => YouTubeAddress.VideoOf(text).ShouldBe(id);

    [Theory]
    [InlineData("https://www.youtube.com/playlist?list=PLaaaaaaaaaaaa", "PLaaaaaaaaaaaa")]
    [InlineData("PLaaaaaaaaaaaa", "PLaaaaaaaaaaaa")]
    [InlineData("https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=PLaaaaaaaaaaaa", null)]
    [InlineData("dQw4w9WgXcQ", null)]
    public void Address_of_a_playlist_is_its_id(string text, string? id) => YouTubeAddress.PlaylistOf(text).ShouldBe(id);

    [Theory]
    [InlineData("", false, "1")]
    [InlineData("fr,de", false, "1")]
    [InlineData("fr,de", true, "4")]
    [InlineData("en", false, "3")]
    [InlineData("en", true, "2")]
    [InlineData("EN-gb", false, "3")]
    [InlineData("en-US", true, null)]
    [InlineData("ja", true, null)]
    public void First_language_that_there_is_is_taken_and_automatic_ones_where_allowed(string languages, bool automatic, string? place) =>
        (new CaptionWish(languages.Split(',', StringSplitOptions.RemoveEmptyEntries), automatic).Choose(Tracks)?.Place).ShouldBe(place);

    [Fact]
    public void Where_none_fits_the_failure_says_what_there_is()
    {
        Message(new(["ja"], false), Tracks).ShouldBe("The video has no written captions in ja; there are de, en (automatic), en-GB, fr (automatic).");
        Message(new([], false), [Tracks[1]]).ShouldBe("No captions of the video were written by people; there are en (automatic).");
        Message(new(["en"], true), []).ShouldBe("The video has no captions.");

        static string Message(CaptionWish wish, CaptionTrack[] tracks)
        {
            var failure = Should.Throw<IngestionException>(() => wish.Require(tracks));
            failure.Code.ShouldBe(ErrorCodes.NoCaptions);
            return failure.Message;
        }
    }

    [Fact]
    public void WebVtt_is_read_with_its_voices_and_without_its_marks()
    {
        var cues = CaptionFormats.Vtt("\uFEFFWEBVTT - a title\nKind: captions\n\nNOTE\nnot said\n\nSTYLE\n::cue { color: red }\n\n1\n00:01.000 --> 00:03.500 align:start position:0%\n<v Roger Bingham>We are &amp; were <c.yellow>in</c> <00:02.000>New York\n\n01:00:04.000 --> 01:00:05.000\nTwo\nlines\n");
        cues.ShouldBe([new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3.5), ">> Roger Bingham: We are & were in New York"), new(new(1, 0, 4), new(1, 0, 5), "Two\nlines")]);
        Should.Throw<IngestionException>(() => CaptionFormats.Vtt("<html>")).Code.ShouldBe(ErrorCodes.BadContent);
    }

    [Fact]
    public void Json_of_the_player_is_read_word_by_word()
    {
        var cues = CaptionFormats.Json("""{"wireMagic":"pb3","events":[{"tStartMs":0,"dDurationMs":9000,"id":1,"wpWinPosId":1},{"tStartMs":160,"dDurationMs":4000,"segs":[{"utf8":"so","acAsrConf":0},{"utf8":" this","tOffsetMs":200}]},{"tStartMs":4000,"aAppend":1,"segs":[{"utf8":"\n"}]}]}"""u8.ToArray());
        cues.ShouldBe([new(TimeSpan.FromMilliseconds(160), TimeSpan.FromMilliseconds(4160), "so this")]);
        Should.Throw<IngestionException>(() => CaptionFormats.Json("<html>"u8.ToArray())).Code.ShouldBe(ErrorCodes.BadContent);
    }

    [Fact]
    public void Paragraphs_begin_where_somebody_else_speaks_and_after_pauses_and_with_their_time()
    {
        Cue Say(double second, string text) => new(TimeSpan.FromSeconds(second), TimeSpan.FromSeconds(second + 1), text);
        var text = Transcript.Write(new("dQw4w9WgXcQ", "About *stars*", "Sky", TimeSpan.FromSeconds(3723), "2024-05-01"), new("1", "en", false),
            [Say(0, "Look up."), Say(1, "Do you  see\nit?"), Say(2, ">> I do."), Say(60, "[music]"), Say(3600, "No."), Say(3601, "No.")]);
        text.ShouldBe("# About \\*stars\\*\n\nSky, 2024-05-01, 1:02:03\n\n[0:00] Look up. Do you see it?\n\n[0:02] I do.\n\n[1:00] [music]\n\n[1:00:00] No. No.\n");
        // A program's captions show a line again while the next one comes.
        Transcript.Write(new("x", "T", null, null, null), new("1", "en", true), [Say(0, "a b"), Say(1, "a b\nc d"), Say(2, "c d\ne")]).ShouldEndWith("[0:00] a b c d e\n");
        Should.Throw<IngestionException>(() => Transcript.Write(new("x", "T", null, null, null), new("1", "en", true), [Say(0, " ")])).Code.ShouldBe(ErrorCodes.NoCaptions);
    }
}
