using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>What is said at one time of a video.</summary>
/// <param name="Text">Its lines; a new one may be another speaker's.</param>
internal sealed record Cue(TimeSpan Start, TimeSpan End, string Text);

/// <summary>What is known of a video besides what is said in it.</summary>
/// <param name="Published">A day, <c>2024-05-01</c>; null where it is not told.</param>
internal sealed record VideoFacts(string Id, string Title, string? Channel, TimeSpan? Duration, string? Published)
{
    /// <summary>The interface's tag of this state of its description; null where the page told.</summary>
    public string? Tag { get; init; }
}

/// <summary>Captions of a video in one language.</summary>
/// <param name="Place">What they are fetched by: an id, or an address.</param>
/// <param name="Language">A BCP 47 tag.</param>
/// <param name="Automatic">True where a program made them.</param>
/// <param name="Changed">When they were changed last, in whatever form that is told; null where it is not.</param>
internal sealed record CaptionTrack(string Place, string Language, bool Automatic, string? Changed = null);

/// <summary>Which captions are wanted.</summary>
/// <param name="Languages">The first that there is; empty for any.</param>
/// <param name="Automatic">True: those of a program too, where people wrote none in the language.</param>
internal sealed record CaptionWish(IReadOnlyList<string> Languages, bool Automatic)
{
    /// <summary>The captions to take; null where none fit.</summary>
    public CaptionTrack? Choose(IReadOnlyList<CaptionTrack> tracks)
    {
        // Written ones first, of each language.
        var ranked = tracks.Where(t => Automatic || !t.Automatic).OrderBy(t => t.Automatic).ToList();
        return Languages.Count == 0 ? ranked.FirstOrDefault() : Languages.Select(l => ranked.FirstOrDefault(t => Is(t, l)) ?? ranked.FirstOrDefault(t => Is(t, l, narrower: true))).FirstOrDefault(t => t is not null);
    }

    /// <summary>The captions to take. Throws <c>no_captions</c> naming what there is.</summary>
    public CaptionTrack Require(IReadOnlyList<CaptionTrack> tracks)
    {
        if (Choose(tracks) is { } track) return track;
        if (tracks.Count == 0) throw new IngestionException(ErrorCodes.NoCaptions, "The video has no captions.");
        var wanted = Languages.Count == 0 ? "No captions of the video were written by people" : $"The video has no {(Automatic ? "" : "written ")}captions in {string.Join(", ", Languages)}";
        throw new IngestionException(ErrorCodes.NoCaptions, $"{wanted}; there are {string.Join(", ", tracks.Take(20).Select(t => t.Automatic ? $"{t.Language} (automatic)" : t.Language))}.");
    }

    // "en" is content with "en-GB"; "en-GB" is not with "en-US".
    private static bool Is(CaptionTrack track, string language, bool narrower = false) =>
        narrower ? track.Language.StartsWith(language + "-", StringComparison.OrdinalIgnoreCase) : track.Language.Equals(language, StringComparison.OrdinalIgnoreCase);
}
