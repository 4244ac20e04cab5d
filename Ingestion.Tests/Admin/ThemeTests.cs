using System.Globalization;
using System.Text.RegularExpressions;
using Ingestion.Admin.Components.Layout;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed partial class ThemeTests
{
    [Theory]
    [InlineData("waiting")]
    [InlineData("running")]
    [InlineData("paused")]
    [InlineData("person")]
    [InlineData("done")]
    [InlineData("failed")]
    [InlineData("muted")]
    public async Task Every_state_is_readable_in_both_themes(string tone)
    {
        var tokens = await TokensAsync();
        var (text, soft) = (tokens["state-" + tone], tokens[$"state-{tone}-soft"]);
        Contrast(text.Light, soft.Light).ShouldBeGreaterThanOrEqualTo(4.5);
        Contrast(text.Dark, soft.Dark).ShouldBeGreaterThanOrEqualTo(4.5);
    }

    [Theory]
    [InlineData("dark", "not all", "all")]
    [InlineData("light", "all", "not all")]
    [InlineData("\"><script>", "(prefers-color-scheme: light)", "(prefers-color-scheme: dark)")]
    [InlineData(null, "(prefers-color-scheme: light)", "(prefers-color-scheme: dark)")]
    public void Cookie_chooses_the_sheet_and_anything_else_follows_the_system(string? cookie, string light, string dark)
    {
        var choice = ThemeChoice.Of(cookie);
        (choice.LightMedia, choice.DarkMedia).ShouldBe((light, dark));
        choice.Word.ShouldBeOneOf("auto", "light", "dark");
    }

    private static async Task<Dictionary<string, (string Light, string Dark)>> TokensAsync()
    {
        await using var app = new AdminApp();
        var css = await app.Caller().GetStringAsync("/app.css");
        return Token().Matches(css).ToDictionary(m => m.Groups[1].Value, m => (m.Groups[2].Value, m.Groups[3].Value));
    }

    // WCAG 2.2, relative luminance
    private static double Contrast(string a, string b)
    {
        var (x, y) = (Luminance(a), Luminance(b));
        return (Math.Max(x, y) + 0.05) / (Math.Min(x, y) + 0.05);
    }

    private static double Luminance(string hex)
    {
        double Channel(int at)
        {
            var value = int.Parse(hex.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }

        return (0.2126 * Channel(0)) + (0.7152 * Channel(2)) + (0.0722 * Channel(4));
    }

    [GeneratedRegex(@"--([a-z-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Token();
}
