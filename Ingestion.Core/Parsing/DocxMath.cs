using System.Text;
using DocumentFormat.OpenXml;

namespace Ingestion.Core.Parsing;

/// <summary>Office formulas as LaTeX, as far as their structure goes; what is unknown keeps its text.</summary>
internal static class DocxMath
{
    private static readonly Dictionary<string, string> Operators = new()
    {
        ["∑"] = "\\sum", ["∏"] = "\\prod", ["∫"] = "\\int", ["∬"] = "\\iint", ["∮"] = "\\oint", ["⋃"] = "\\bigcup", ["⋂"] = "\\bigcap", ["∐"] = "\\coprod",
    };

    public static string Inline(OpenXmlElement math) => Write(math).Trim() is { Length: > 0 } text ? $"${text}$" : "";

    private static string Write(OpenXmlElement? element)
    {
        if (element is null) return "";
        switch (element.LocalName)
        {
            case "r": return string.Concat(element.ChildElements.Where(c => c.LocalName == "t").Select(c => c.InnerText));
            case "t": return element.InnerText;
            case "f": return $"\\frac{Group(element, "num")}{Group(element, "den")}";
            case "sSup": return Write(Child(element, "e")) + "^" + Group(element, "sup");
            case "sSub": return Write(Child(element, "e")) + "_" + Group(element, "sub");
            case "sSubSup": return Write(Child(element, "e")) + "_" + Group(element, "sub") + "^" + Group(element, "sup");
            case "sPre": return "{}_" + Group(element, "sub") + "^" + Group(element, "sup") + Write(Child(element, "e"));
            case "rad": return Write(Child(element, "deg")) is { Length: > 0 } degree ? $"\\sqrt[{degree}]{Group(element, "e")}" : "\\sqrt" + Group(element, "e");
            case "nary":
                var sign = Property(element, "naryPr", "chr") ?? "∫";
                return Operators.GetValueOrDefault(sign, sign) + Script("_", Child(element, "sub")) + Script("^", Child(element, "sup")) + Group(element, "e");
            case "limLow": return Write(Child(element, "e")) + "_" + Group(element, "lim");
            case "limUpp": return Write(Child(element, "e")) + "^" + Group(element, "lim");
            case "func": return Write(Child(element, "fName")) + Group(element, "e");
            case "d":
                return (Property(element, "dPr", "begChr") ?? "(") + string.Join(Property(element, "dPr", "sepChr") ?? "|", element.ChildElements.Where(c => c.LocalName == "e").Select(Write))
                    + (Property(element, "dPr", "endChr") ?? ")");
            case "m":
                return "\\begin{matrix}" + string.Join(" \\\\ ", element.ChildElements.Where(c => c.LocalName == "mr").Select(r => string.Join(" & ", r.ChildElements.Select(Write)))) + "\\end{matrix}";
            case "eqArr": return string.Join(" \\\\ ", element.ChildElements.Where(c => c.LocalName == "e").Select(Write));
            case "bar": return "\\overline" + Group(element, "e");
            case "acc": return Write(Child(element, "e")) + (Property(element, "accPr", "chr") ?? "\u0302");
            case var name when name.EndsWith("Pr", StringComparison.Ordinal): return "";
            default:
                var result = new StringBuilder();
                foreach (var child in element.ChildElements) result.Append(Write(child));
                return result.ToString();
        }
    }

    private static OpenXmlElement? Child(OpenXmlElement element, string name) => element.ChildElements.FirstOrDefault(c => c.LocalName == name);

    private static string Group(OpenXmlElement element, string child) => "{" + Write(Child(element, child)) + "}";

    private static string Script(string mark, OpenXmlElement? content) => Write(content) is { Length: > 0 } text ? $"{mark}{{{text}}}" : "";

    private static string? Property(OpenXmlElement element, string properties, string name) =>
        Child(element, properties) is { } p && Child(p, name) is { } value ? value.GetAttributes().FirstOrDefault(a => a.LocalName == "val").Value : null;
}
