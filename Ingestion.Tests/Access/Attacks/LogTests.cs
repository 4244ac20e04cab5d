using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Ingestion.Tests.Rendering;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>The log of the real program while strangers write whatever they like wherever they can.</summary>
public sealed partial class LogTests
{
    private const string Sentence = "The quiet heron of the eastern marsh reads nobody's letters";
    private static readonly string[] Hostile =
    [
        "a\r\n2026-01-01T00:00:00.000Z INFO  Forged: {0} admin signed in", "\u001b[31mred\u001b[0m\u001b]0;title\u0007", "{Account} {0} %s %n {{", "line\u2028separator\u2029paragraph\u0085next", "\u202Eright\u202C to left", "\u0000nul",
        "${jndi:ldap://127.0.0.1/a}", new string('x', 9000),
    ];

    [Fact]
    public async Task Event_is_one_line_whatever_it_tells_of_and_documents_are_not_in_it()
    {
        using var data = new TemporaryDirectory("log-attacks-").Traversable();
        await using var app = await AppProcess.StartAsync(data.Path, ("Logging:LogLevel:Default", "Information"), ("Logging:LogLevel:Microsoft.AspNetCore", "Information"));
        foreach (var text in Hostile.Concat(HostileText.All))
        {
            var clean = text.Replace("\0", "\\u0000", StringComparison.Ordinal);
            await app.Client.PostAsJsonAsync("/api/v1/batches", new { name = Cut(clean, 150), urls = new[] { "http://127.0.0.1:1/" + Uri.EscapeDataString(Cut(clean, 500)), Cut(clean, 2000) } });
            await app.Client.GetAsync("/api/v1/search?q=" + Uri.EscapeDataString(Cut(clean, 900)));
            await app.Client.GetAsync("/api/v1/" + Uri.EscapeDataString(Cut(clean.Replace("..", "", StringComparison.Ordinal), 900)));
            await app.Client.PutAsJsonAsync("/api/v1/secrets/" + Uri.EscapeDataString(Cut(clean.Replace("..", "", StringComparison.Ordinal), 150)), new { value = Sentence });
            using var sign = new HttpRequestMessage(HttpMethod.Post, "/sign-in") { Content = new FormUrlEncodedContent([new("_handler", "password"), new("Input.UserName", Cut(clean, 900)), new("Input.Password", Cut(clean, 150))]) };
            foreach (var header in new[] { "User-Agent", "X-Correlation-Id", "X-Forwarded-For", "Referer" }) sign.Headers.TryAddWithoutValidation(header, string.Concat(Cut(clean, 200).Where(c => c is >= ' ' and < '\u007f')));
            await app.Client.SendAsync(sign);
        }
        // A document that is taken in whole, one that fails, and one that no parser takes.
        var whole = await app.UploadAsync("{0}\u001b[31m<script>.md", System.Text.Encoding.UTF8.GetBytes($"# Heading\n\n{Sentence}\n"));
        var broken = await app.UploadAsync("broken\u2028.pdf", System.Text.Encoding.UTF8.GetBytes($"%PDF-1.4 {Sentence}"));
        var odd = await app.UploadAsync("odd.bin", [0, 1, 2, .. System.Text.Encoding.UTF8.GetBytes(Sentence)]);
        await app.EndedAsync(await app.SubmitAsync(new { name = "documents", uploads = new[] { whole, broken, odd } }), TimeSpan.FromSeconds(90));
        await app.StopAsync();

        var lines = app.Output.Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length > 0).ToList();
        var logged = lines.Where(l => Line().IsMatch(l)).ToList();
        logged.Count.ShouldBeGreaterThan(200);
        lines.Except(logged).Where(l => !l.Contains("Ingestion is ready", StringComparison.Ordinal)).ShouldBeEmpty("every other line is what the program says at its start");
        foreach (var line in logged)
        {
            line.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029').ShouldBeFalse(line);
            line.Length.ShouldBeLessThan(20_000);
        }
        logged.ShouldNotContain(l => l.Contains(" Forged: ", StringComparison.Ordinal) && Line().Match(l).Groups[1].Value == "Forged");
        app.Output.ShouldNotContain(Sentence);
        app.Output.ShouldNotContain(AppProcess.Key);
        Console.WriteLine($"{logged.Count} events on {logged.Count} lines, none forged, none with a document's text");
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:TRACE|DEBUG|INFO |WARN |ERROR|FATAL) ([A-Za-z0-9_`]+): ", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Line();
}
