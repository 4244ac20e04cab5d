using System.Globalization;
using Ingestion.Core.Parsing;
using Markdig;
using Markdig.Parsers;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;

namespace Ingestion.Core.Rendering;

/// <summary>Reads the parsers' page markers as blocks of their own and draws them as quiet dividers. In code they stay code.</summary>
internal sealed class PageMarks : IMarkdownExtension
{
    public void Setup(MarkdownPipelineBuilder pipeline) => pipeline.BlockParsers.Insert(0, new MarkParser());

    public void Setup(MarkdownPipeline pipeline, IMarkdownRenderer renderer) => renderer.ObjectRenderers.Insert(0, new MarkRenderer());

    private sealed class Mark(BlockParser parser) : LeafBlock(parser)
    {
        public required int Number { get; init; }
    }

    private sealed class MarkParser : BlockParser
    {
        public MarkParser() => OpeningCharacters = ['<'];

        public override BlockState TryOpen(BlockProcessor processor)
        {
            var line = processor.Line.AsSpan();
            if (processor.IsCodeIndent || !PageMarker.Is(line)) return BlockState.None;
            var digits = line[line.IndexOfAnyInRange('0', '9')..];
            digits = digits[..digits.IndexOfAnyExceptInRange('0', '9')];
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return BlockState.None;
            processor.NewBlocks.Push(new Mark(this) { Number = number, Span = new SourceSpan(processor.Start, processor.Line.End), Line = processor.LineIndex });
            return BlockState.BreakDiscard;
        }
    }

    private sealed class MarkRenderer : HtmlObjectRenderer<Mark>
    {
        protected override void Write(HtmlRenderer renderer, Mark obj) =>
            renderer.Write("<p class=\"page-mark\">Page ").Write(obj.Number.ToString(CultureInfo.InvariantCulture)).WriteLine("</p>");
    }
}
