namespace Ingestion.Admin.Components.Pages.Access;

/// <summary>What a browser calls itself, in two words. A hint for people, believed by nothing.</summary>
internal static class BrowserName
{
    private static readonly (string Mark, string Name)[] Browsers = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")];
    private static readonly (string Mark, string Name)[] Systems = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")];

    public static string Of(string? agent) =>
        (Find(Browsers, agent), Find(Systems, agent)) switch
        {
            (null, null) => "Unknown browser",
            ({ } browser, { } system) => $"{browser} on {system}",
            var (browser, system) => browser ?? system!,
        };

    private static string? Find((string Mark, string Name)[] known, string? agent) =>
        known.Where(k => agent?.Contains(k.Mark, StringComparison.Ordinal) == true).Select(k => k.Name).FirstOrDefault();
}
