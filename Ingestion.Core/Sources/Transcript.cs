using System.Globalization;
using System.Text;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Makes a document of what is said in a video: its title, then paragraphs that begin with their time.</summary>
internal static class Transcript
{
    private const int LongEnough = 600;
    private const int TooLong = 1500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Markdown. Throws <c>no_captions</c> where nothing is said in them.</summary>
    public static string Write(VideoFacts video, CaptionTrack track, IReadOnlyList<Cue> cues)
    {
        var result = new StringBuilder("# ");
        MarkdownText.Escape(result, OneLine(video.Title));
        result.Append("\n\n").AppendJoin(", ", new[] { video.Channel, video.Published, video.Duration is { } lasts ? Mark(lasts) : null }.Where(p => p is { Length: > 0 })).Append('\n');
        var paragraphs = 0;
        foreach (var (start, text) in Paragraphs(cues, track.Automatic))
        {
            paragraphs++;
            result.Append(CultureInfo.InvariantCulture, $"\n[{Mark(start)}] ");
            MarkdownText.Escape(result, text);
            result.Append('\n');
        }
        return paragraphs > 0 ? result.ToString() : throw new IngestionException(ErrorCodes.NoCaptions, $"The captions of the video in {track.Language} are empty.");
    }

    /// <summary>What the document is told by, besides its text.</summary>
    public static Dictionary<string, string> Metadata(VideoFacts video, CaptionTrack track)
    {
        var metadata = new Dictionary<string, string> { ["Video"] = video.Id, ["Language"] = track.Language };
        if (track.Automatic) metadata["Captions"] = "automatic";
        if (video.Channel is { Length: > 0 } channel) metadata["Channel"] = channel;
        if (video.Duration is { } lasts) metadata["Duration"] = Mark(lasts);
        if (video.Published is { } day) metadata["Published"] = day;
        return metadata;
    }

    /// <summary>Hours, minutes and seconds: <c>1:02:03</c>, <c>2:03</c>.</summary>
    public static string Mark(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{(time.TotalHours >= 1 ? $"{(long)time.TotalHours}:{time.Minutes:00}" : $"{time.Minutes}")}:{time.Seconds:00}");

    // A paragraph ends where somebody else speaks, where nobody does for a while, at a sentence's end once it is long enough, and anyhow when it is too long.
    private static IEnumerable<(TimeSpan Start, string Text)> Paragraphs(IReadOnlyList<Cue> cues, bool automatic)
    {
        var text = new StringBuilder();
        var (start, end, last) = (TimeSpan.Zero, TimeSpan.Zero, "");
        foreach (var cue in cues)
            foreach (var raw in cue.Text.Split('\n'))
            {
                var line = OneLine(raw);
                // A program's captions roll: each shows the line before once more.
                if (line.Length == 0 || (automatic && line == last)) continue;
                last = line;
                var speaks = line.StartsWith(">>", StringComparison.Ordinal);
                if (speaks) line = line.TrimStart('>', ' ');
                if (text.Length > 0 && (speaks || cue.Start - end >= Pause || text.Length > TooLong || (text.Length > LongEnough && text[^1] is '.' or '?' or '!' or '…' or '।' or '。')))
                {
                    yield return (start, text.ToString());
                    text.Clear();
                }
                if (line.Length == 0) continue;
                if (text.Length == 0) start = cue.Start;
                else text.Append(' ');
                text.Append(line);
                end = cue.End;
            }
        if (text.Length > 0) yield return (start, text.ToString());
    }

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
