using System.Text;
using Markdig;
using Markdig.Extensions.EmphasisExtras;
using Markdig.Extensions.Tables;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Ingestion.Core.Rendering;

/// <summary>A document's text ready for a page: HTML of an allow-list, or, where that could not be made, the plain text and why.</summary>
/// <param name="Html">Safe to put into a page as it is; null where <paramref name="Text"/> is to be shown, encoded.</param>
public sealed record RenderedMarkdown(string? Html, string Text, string? Note);

/// <summary>
/// Markdown of strangers as HTML that can do nothing: no HTML of theirs, links only to the web and to mail, no images, bounded in size,
/// depth and time. Never throws for what the text holds.
/// </summary>
public sealed class SafeMarkdown(TimeProvider time)
{
    /// <summary>UTF-16 units rendered at once; the reader of long documents sees them page by page. It also bounds what hostile text costs.</summary>
    public const int MaxCharacters = 64_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    private static readonly MarkdownPipeline Pipeline = Build();

    // A rendering that is given up runs on to its end; this keeps such ends from taking every processor.
    private readonly SemaphoreSlim _places = new(2);

    public async Task<RenderedMarkdown> RenderAsync(string markdown, CancellationToken ct)
    {
        if (markdown.Length > MaxCharacters) return new(null, markdown[..MaxCharacters], "Too long to be laid out; the beginning is shown as it is.");
        if (!await _places.WaitAsync(Limit, ct)) return Plain(markdown);
        var work = Task.Run(() =>
        {
            try
            {
                return Render(markdown);
            }
            finally
            {
                _places.Release();
            }
        }, CancellationToken.None);
        try
        {
            return await work.WaitAsync(Limit, time, ct);
        }
        catch (TimeoutException)
        {
            return Plain(markdown);
        }
    }

    /// <summary>The words of a short piece of Markdown on one line, without marks: for excerpts. Where it cannot be read it stays as it is.</summary>
    public static string ToText(string markdown)
    {
        if (markdown.Length > MaxCharacters) markdown = markdown[..MaxCharacters];
        try
        {
            var text = new StringBuilder(markdown.Length);
            foreach (var part in Markdown.Parse(markdown, Pipeline).Descendants()) Append(text, part);
            return text.ToString().Trim();
        }
        catch (ArgumentException)
        {
            // Nested deeper than the reader goes: then the marks are what there is to show.
            return markdown;
        }
    }

    private static RenderedMarkdown Render(string markdown)
    {
        try
        {
            var document = Markdown.Parse(markdown, Pipeline);
            foreach (var heading in document.Descendants<HeadingBlock>()) heading.Level = Math.Min(6, heading.Level + 1);
            foreach (var link in document.Descendants<LinkInline>().ToList()) Tame(link);
            foreach (var link in document.Descendants<AutolinkInline>().ToList()) Tame(link);
            return new(document.ToHtml(Pipeline), markdown, null);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IndexOutOfRangeException or NullReferenceException)
        {
            return Plain(markdown);
        }
    }

    private static RenderedMarkdown Plain(string markdown) => new(null, markdown, "The layout of this text is too tangled to be drawn; it is shown as it is.");

    private static void Tame(LinkInline link)
    {
        if (link.IsImage)
        {
            // Nothing is loaded from elsewhere: an image is its description, with a way to it where it has a safe one.
            link.IsImage = false;
            if (link.FirstChild is null) link.AppendChild(new LiteralInline("image"));
        }
        if (SafeLink.Of(link.Url) is null) link.ReplaceBy(new ContainerInline(), copyChildren: true);
        else Outward(link);
    }

    private static void Tame(AutolinkInline link)
    {
        if (SafeLink.Of(link.IsEmail ? "mailto:" + link.Url : link.Url) is null) link.ReplaceBy(new LiteralInline(link.Url));
        else Outward(link);
    }

    private static void Outward(MarkdownObject link)
    {
        var attributes = link.GetAttributes();
        attributes.AddProperty("rel", "noopener noreferrer nofollow");
        attributes.AddProperty("target", "_blank");
    }

    private static void Append(StringBuilder text, MarkdownObject part)
    {
        switch (part)
        {
            case LiteralInline literal: text.Append(literal.Content.AsSpan()); break;
            case CodeInline code: text.Append(code.ContentSpan); break;
            case HtmlEntityInline entity: text.Append(entity.Transcoded.AsSpan()); break;
            case AutolinkInline link: text.Append(link.Url); break;
            case LineBreakInline: text.Append(' '); break;
            case CodeBlock code: Separate(text, " ").Append(code.Lines.ToString().ReplaceLineEndings(" ")); break;
            case LeafBlock { Parent: TableCell }: Separate(text, " · "); break;
            case LeafBlock: Separate(text, " "); break;
        }
    }

    private static StringBuilder Separate(StringBuilder text, string separator) => text.Length == 0 ? text : text.Append(separator);

    private static MarkdownPipeline Build()
    {
        var builder = new MarkdownPipelineBuilder().DisableHtml().UsePipeTables().UseEmphasisExtras(EmphasisExtraOptions.Strikethrough);
        builder.Extensions.Add(new PageMarks());
        return builder.Build();
    }
}
