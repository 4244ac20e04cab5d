using System.Text;
using System.Text.RegularExpressions;
using AngleSharp.Dom;

namespace Ingestion.Core.Parsing;

/// <summary>Code blocks of HTML: their text with its line breaks, and the language that the classes around it name.</summary>
internal static partial class HtmlCode
{
    public static string Fence(IElement pre)
    {
        var text = new StringBuilder();
        Append(text, pre, 0);
        var code = text.ToString().ReplaceLineEndings("\n").Trim('\n').TrimEnd();
        return code.Trim().Length == 0 ? "" : MarkdownText.Fence(code, Language(pre));
    }

    private static void Append(StringBuilder text, INode node, int depth)
    {
        if (depth > 100) { text.Append(node.TextContent); return; }
        foreach (var child in node.ChildNodes)
            if (child is IText t) text.Append(t.Data);
            else if (child is IElement { LocalName: "br" }) text.Append('\n');
            else if (child is IElement element && element.LocalName is not "button")
            {
                Append(text, element, depth + 1);
                if (element.LocalName is "div" or "p" or "li" or "tr" && text.Length > 0 && text[^1] != '\n') text.Append('\n');
            }
    }

    private static string Language(IElement pre)
    {
        IElement?[] around = [pre.Children.FirstOrDefault(c => c.LocalName == "code"), pre, pre.ParentElement, pre.ParentElement?.ParentElement];
        foreach (var element in around)
        {
            if (element is null) continue;
            if ((element.GetAttribute("data-lang") ?? element.GetAttribute("data-language")) is { Length: > 0 and < 30 } given) return given;
            if (Named().Match(element.ClassName ?? "") is { Success: true } found && found.Groups[1].Value is var name && name is not ("default" or "none" or "text")) return name;
        }
        return "";
    }

    [GeneratedRegex(@"(?:^|\s)(?:language|lang|highlight-source|highlight|brush:?)[- ]([A-Za-z0-9_+#]{1,20})(?:\s|;|$)", RegexOptions.NonBacktracking)]
    private static partial Regex Named();
}
