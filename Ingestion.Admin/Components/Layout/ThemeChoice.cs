namespace Ingestion.Admin.Components.Layout;

/// <summary>
/// The theme a browser asked for. Both stylesheets are always linked and their media decide: the page comes in the right
/// colours with the first byte, and <c>auto</c> follows the system while the page is open.
/// </summary>
internal sealed record ThemeChoice(string Word, string LightMedia, string DarkMedia)
{
    public const string Cookie = "ingestion-theme";
    private const string Never = "not all";

    public static ThemeChoice Of(string? cookie) => cookie switch
    {
        "light" => new("light", "all", Never),
        "dark" => new("dark", Never, "all"),
        _ => new("auto", "(prefers-color-scheme: light)", "(prefers-color-scheme: dark)"),
    };
}
