using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Reads captions in the formats in which they come: WebVTT from the documented interface, YouTube's JSON (<c>json3</c>) from the player's.</summary>
internal static class CaptionFormats
{
    /// <summary>Cues of a WebVTT file, in its order. Throws <c>bad_content</c> where it is none.</summary>
    public static IReadOnlyList<Cue> Vtt(string text)
    {
        if (!text.AsSpan().TrimStart('\uFEFF').StartsWith("WEBVTT")) throw new IngestionException(ErrorCodes.BadContent, "The captions are not in the format that was asked for.");
        var cues = new List<Cue>();
        Cue? open = null;
        var lines = new List<string>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (Times(line) is { } times)
            {
                Close();
                open = new(times.Start, times.End, "");
            }
            else if (line.IsWhiteSpace()) Close();
            else if (open is not null) lines.Add(Plain(line));
        }
        Close();
        return cues;

        void Close()
        {
            if (open is not null && lines.Count > 0) cues.Add(open with { Text = string.Join('\n', lines) });
            open = null;
            lines.Clear();
        }
    }

    /// <summary>Cues of YouTube's JSON: events with a start, a duration and pieces of text. Throws <c>bad_content</c> where it is none.</summary>
    public static IReadOnlyList<Cue> Json(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var cues = new List<Cue>();
            foreach (var entry in document.RootElement.Elements("events"))
            {
                var text = string.Concat(entry.Elements("segs").Select(s => s.Text("utf8")));
                if (string.IsNullOrWhiteSpace(text)) continue;
                var start = Milliseconds(entry, "tStartMs");
                cues.Add(new(start, start + Milliseconds(entry, "dDurationMs"), text.ReplaceLineEndings("\n").Trim()));
            }
            return cues;
        }
        catch (JsonException e)
        {
            throw new IngestionException(ErrorCodes.BadContent, "The captions are not in the format that was asked for.", e);
        }
    }

    // 00:01:02.500 --> 00:01:04.000 align:start; the hours may be missing.
    private static (TimeSpan Start, TimeSpan End)? Times(ReadOnlySpan<char> line)
    {
        var arrow = line.IndexOf("-->");
        if (arrow < 0) return null;
        var rest = line[(arrow + 3)..].TrimStart();
        var end = rest.IndexOfAny(' ', '\t');
        return Time(line[..arrow].Trim()) is { } from && Time(end < 0 ? rest : rest[..end]) is { } to ? (from, to) : null;
    }

    private static TimeSpan? Time(ReadOnlySpan<char> text)
    {
        var total = 0.0;
        foreach (var part in text.Split(':'))
        {
            if (!double.TryParse(text[part], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1_000_000) return null;
            total = total * 60 + number;
        }
        return total < 1e9 ? TimeSpan.FromMilliseconds(Math.Round(total * 1000)) : null;
    }

    private static TimeSpan Milliseconds(JsonElement entry, string name) =>
        entry.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var n) && n is >= 0 and < 1_000_000_000_000 ? TimeSpan.FromMilliseconds(n) : TimeSpan.Zero;

    // Without marks of time, class and emphasis; a voice is named before what it says.
    private static string Plain(ReadOnlySpan<char> line)
    {
        var result = new StringBuilder(line.Length);
        while (line.IndexOf('<') is >= 0 and var open && line[open..].IndexOf('>') is > 0 and var length)
        {
            result.Append(line[..open]);
            var tag = line.Slice(open + 1, length - 1);
            if (tag.StartsWith("v ") || tag.StartsWith("v.")) result.Append(">> ").Append(tag[(tag.IndexOf(' ') + 1)..]).Append(": ");
            line = line[(open + length + 1)..];
        }
        return WebUtility.HtmlDecode(result.Append(line).ToString());
    }
}
