using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Finds what a page is about and leaves out what surrounds it. What is cut cannot be found later, so doubt keeps: where the
/// chosen part holds too little of the page's text, the whole body without its obvious chrome is taken.
/// </summary>
internal static partial class MainContent
{
    private const string Unread =
        "script,style,noscript,template,iframe,object,embed,canvas,select,[hidden],[aria-hidden=true],input,textarea,datalist";
    private const string Chrome =
        "nav,[role=navigation],[role=banner],[role=contentinfo],[role=search],[role=dialog],[role=alertdialog],body > footer,body > header";
    private const double LeastShare = 0.25;

    /// <summary>Removes what no reader sees.</summary>
    public static void RemoveUnread(IHtmlDocument document)
    {
        foreach (var element in document.QuerySelectorAll(Unread).Where(e => e != document.Body && e != document.DocumentElement).ToArray())
            element.Remove();
        foreach (var element in document.QuerySelectorAll("[style]").Where(IsInvisible).ToArray()) element.Remove();
    }

    /// <summary>The element to read; the document is changed: chrome inside of it is gone.</summary>
    public static IElement Find(IHtmlDocument document)
    {
        var body = (IElement?)document.Body ?? document.DocumentElement;
        var before = new TextMeasure(body);
        RemoveChrome(body, before);
        var measure = new TextMeasure(body);
        var whole = measure.Text(body);
        var best = Candidate(body, measure);
        return measure.Text(best) >= whole * LeastShare ? best : body;
    }

    /// <summary>A part that says itself that it is the content, when there is one of them and it holds most of the page.</summary>
    private static IElement Candidate(IElement body, TextMeasure measure)
    {
        foreach (var selector in (string[])["main,[role=main]", "article"])
            if (body.QuerySelectorAll(selector) is { Length: 1 } one && measure.Text(one[0]) >= measure.Text(body) * 0.5) return one[0];
        return body;
    }

    private static void RemoveChrome(IElement body, TextMeasure measure)
    {
        var whole = measure.Text(body);
        foreach (var element in body.QuerySelectorAll(Chrome).ToArray())
            // Pages exist that put everything into one header or give all of it the wrong role.
            if (measure.Text(element) <= whole * 0.5 && !HoldsTitle(element)) element.Remove();
        foreach (var element in body.QuerySelectorAll("div,section,aside,ul,ol,table,footer,header,p,form").ToArray())
        {
            var text = measure.Text(element);
            if (text == 0 || text > whole * 0.4 || HoldsTitle(element)) continue;
            var density = measure.LinkDensity(element);
            var unlikely = Unlikely().IsMatch(element.ClassName + " " + element.Id);
            // Rows of “previous, up, next” hold the titles of the neighbours too, so little of their text is linked.
            if (text < 300 && density > 0.1 && Navigation().IsMatch(element.ClassName + " " + element.Id)) element.Remove();
            else if (unlikely && (density > 0.4 || text < 400 && element.LocalName is "footer" or "aside")) element.Remove();
            else if (element.LocalName is "aside" or "footer" && density > 0.5) element.Remove();
        }
    }

    private static bool HoldsTitle(IElement element) => element.QuerySelector("h1,main,article") is not null;

    private static bool IsInvisible(IElement element)
    {
        var style = element.GetAttribute("style")!.Replace(" ", "", StringComparison.Ordinal);
        return style.Contains("display:none", StringComparison.OrdinalIgnoreCase) || style.Contains("visibility:hidden", StringComparison.OrdinalIgnoreCase);
    }

    [GeneratedRegex("(^|[-_ ])(nav|navbar|navheader|navfooter|navigation|breadcrumbs?|pagination|pager|skip)([-_ ]|$)", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Navigation();

    [GeneratedRegex("(^|[-_ ])(nav|navbar|navheader|navfooter|menu|sidebar|breadcrumbs?|footer|header|masthead|share|social|related|promo|ads?|advert|cookie|banner|pagination|pager|popup|modal|skip|subscribe|newsletter)([-_ ]|$)", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Unlikely();
}

/// <summary>Lengths of text and of linked text below every element, measured in one pass without recursion.</summary>
internal sealed class TextMeasure
{
    private readonly Dictionary<INode, (int Text, int Linked)> _lengths = [];

    public TextMeasure(IElement root)
    {
        var open = new Stack<(INode Node, bool Done)>([(root, false)]);
        while (open.TryPop(out var top))
        {
            if (!top.Done)
            {
                open.Push((top.Node, true));
                foreach (var child in top.Node.ChildNodes)
                    if (child is IElement) open.Push((child, false));
                continue;
            }
            int text = 0, linked = 0;
            foreach (var child in top.Node.ChildNodes)
                if (child is IText words) text += words.Data.AsSpan().Trim().Length;
                else if (_lengths.TryGetValue(child, out var below)) (text, linked) = (text + below.Text, linked + below.Linked);
            if (top.Node is IElement { LocalName: "a" } a && a.HasAttribute("href")) linked = text;
            _lengths[top.Node] = (text, linked);
        }
    }

    /// <summary>Characters of text below an element, blank ends of text nodes not counted.</summary>
    public int Text(IElement element) => _lengths.GetValueOrDefault(element).Text;

    /// <summary>The share of an element's text that is linked, 0 to 1.</summary>
    public double LinkDensity(IElement element) => _lengths.GetValueOrDefault(element) is { Text: > 0 } l ? (double)l.Linked / l.Text : 0;
}
