using System.Text;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;

namespace Ingestion.Core.Parsing;

/// <summary>What charts and diagrams say in words and figures: the values stored with a chart as a table, a diagram's texts as a list.</summary>
internal static class DocxCharts
{
    private const int MostPoints = 2_000;

    public static void Add(MainDocumentPart main, OpenXmlElement reference, List<string> result)
    {
        if (Part(main, reference, "id") is not ChartPart { ChartSpace: { } chart }) return;
        var title = chart.Descendants().FirstOrDefault(e => e.LocalName == "title");
        var series = chart.Descendants().Where(e => e.LocalName == "ser").Take(50).ToList();
        var text = new StringBuilder();
        if (title is not null && Words(title) is { Length: > 0 } words) text.Append(MarkdownText.Wrap("**", words)).Append("\n\n");
        if (series.Count > 0)
        {
            var categories = Points(series.Select(s => Child(s, "cat") ?? Child(s, "xVal")).FirstOrDefault(c => c is not null));
            var values = series.Select(s => Points(Child(s, "val") ?? Child(s, "yVal"))).ToList();
            List<IReadOnlyList<string>> rows = [["", .. series.Select((s, i) => Points(Child(s, "tx")).Values.FirstOrDefault() ?? $"Series {i + 1}")]];
            foreach (var at in categories.Keys.Concat(values.SelectMany(v => v.Keys)).Distinct().Order().Take(MostPoints))
                rows.Add([categories.GetValueOrDefault(at, ""), .. values.Select(v => v.GetValueOrDefault(at, ""))]);
            MarkdownTable.Write(text, rows);
        }
        if (text.Length > 0) result.Add(text.ToString().TrimEnd('\n'));
    }

    public static void AddDiagram(MainDocumentPart main, OpenXmlElement reference, List<string> result)
    {
        if (Part(main, reference, "dm") is not DiagramDataPart { DataModelRoot: { } model }) return;
        var items = model.Descendants().Where(e => e.LocalName == "pt").Select(Words).Where(w => w.Length > 0).Select(w => "- " + w).ToList();
        if (items.Count > 0) result.Add(string.Join("\n", items));
    }

    private static OpenXmlPart? Part(MainDocumentPart main, OpenXmlElement reference, string attribute)
    {
        var id = reference.GetAttributes().FirstOrDefault(a => a.LocalName == attribute).Value;
        return id is not null && main.TryGetPartById(id, out var part) ? part : null;
    }

    private static OpenXmlElement? Child(OpenXmlElement element, string name) => element.ChildElements.FirstOrDefault(c => c.LocalName == name);

    private static string Words(OpenXmlElement element) =>
        CleanText.Fold(string.Join(" ", element.Descendants().Where(e => e.LocalName is "t" or "v" && !e.HasChildren).Select(e => e.InnerText)));

    private static SortedDictionary<int, string> Points(OpenXmlElement? data)
    {
        var points = new SortedDictionary<int, string>();
        foreach (var point in data?.Descendants().Where(e => e.LocalName == "pt") ?? [])
            if (int.TryParse(point.GetAttributes().FirstOrDefault(a => a.LocalName == "idx").Value, out var at) && points.Count < MostPoints)
                points[at] = Words(point);
        return points;
    }
}
